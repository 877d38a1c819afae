from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked
from checks.formats.examination import render_examination
from checks.judge.examination import Examination, SettingsFile

DENIED = PermissionCheck(
    source="cloud-run",
    what="list the jobs",
    permission="run.jobs.list",
    result=PermissionResult.DENIED,
    reason="no access",
    mend="gcloud projects add-iam-policy-binding",
)


def examined(*checks: PermissionCheck) -> str:
    return render_examination(
        Examination(
            pipeline="nba",
            settings=SettingsFile(path="validate\x1b.toml", named=False),
            identity=Caller(kind="service-account"),
            targets=(),
            probes=checks,
            not_checked=(NotChecked(what="logging", reason="switched off"),),
        )
    )


def test_what_was_denied_is_told_with_the_command_that_mends_it() -> None:
    assert examined(DENIED).splitlines() == [
        " denied  nba · 0 of 1 probe is ok",
        r"settings  validate\x1b.toml (found in the open directory: it grants reads, nothing more)",
        "identity  service account whose address the credentials do not tell",
        "",
        "denied    cloud-run: list the jobs  run.jobs.list",
        "          no access",
        "          mend: gcloud projects add-iam-policy-binding",
        "",
        "not tried logging: switched off",
    ]


def test_the_head_names_what_failed_before_what_is_unknown() -> None:
    unknown = DENIED.model_copy(update={"result": PermissionResult.UNKNOWN})

    assert examined(unknown).startswith(" unknown  nba")
    assert examined(unknown, DENIED).startswith(" denied  nba")
