"""Errors of the user: arguments, settings or environment that cannot be used."""


class UsageError(Exception):
    """What the user gave (arguments, settings, environment) cannot be used; the text names it and the next step."""


class SettingsError(UsageError):
    """The settings cannot be used; the text names the file, the key and the next step."""
