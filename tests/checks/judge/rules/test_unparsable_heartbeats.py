from support.snapshots import document, judged, pipeline, told


def test_a_document_without_a_timestamp_is_named_and_its_processor_not_missing() -> None:
    report = judged([document("Mute", None)], pipeline(["Mute"]))

    assert told(report) == [("unparsable-heartbeats", "P2", "Mute")]
    assert report.findings[0].evidence[0].detail == "there is no last_heartbeat"
