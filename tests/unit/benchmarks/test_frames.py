"""What is timed does what it says: values survive the trip, and every receiver gets every change."""

from appliance.bridge import Copy, FrameType
from appliance.types import Signal
from benchmarks import frames


def test_both_trips_give_the_values_back() -> None:
    values = frames.sample()
    assert frames.frame_trip(values) == values == frames.json_trip(values)


async def test_every_receiver_gets_the_change() -> None:
    async with frames.receivers() as (stream, screens):
        stream.write("test", [Signal("beds.free", 7)])
        for screen in screens:
            frame, copy = await screen.receive(), Copy()
            assert frame.type == FrameType.SIGNAL_DIFF
            copy.sync(frame.json())
            assert copy.values == {"beds.free": 7}
    assert len(screens) == frames.RECEIVERS


async def test_the_result_has_as_many_samples_as_were_asked_for() -> None:
    result = await frames.run(3)
    assert [len(measure.samples) for measure in result.measures] == [3, 3, 3, 3]
    assert len(result.ratios) == 2
    assert all(ratio.value > 0 for ratio in result.ratios)
