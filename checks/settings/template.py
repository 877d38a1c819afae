"""The settings files that are shipped: a commented template, and the worked example."""

from importlib import resources


def settings_text(name: str) -> str:
    """One of the shipped settings files: ``template`` or ``example``."""
    return resources.files("checks.settings").joinpath(f"{name}.toml").read_text("utf-8")
