from chatapp.generation.arrivals import MAX_BUCKETS, Arrivals


def test_arrivals_are_counted_per_bucket_from_the_first_on() -> None:
    arrivals = Arrivals()

    for moment, deltas in ((100.0, 1), (100.004, 2), (100.011, 1), (100.035, 4)):
        arrivals.add(moment, deltas)

    assert arrivals.record() == {"bucket_ms": 10.0, "counts": [3, 1, 0, 4]}


def test_the_record_of_a_long_reply_stays_small_and_loses_none() -> None:
    arrivals = Arrivals()

    for i in range(100_000):
        arrivals.add(5.0 + i * 0.02, 1)

    record = arrivals.record()
    counts = record["counts"]
    assert isinstance(counts, list)
    assert len(counts) <= MAX_BUCKETS
    assert sum(counts) == 100_000
