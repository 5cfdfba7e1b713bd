"""What the box costs: question to answer, row to screen, and the frames between, each beside a baseline.

    python -m benchmarks                        # or: make bench
    python -m benchmarks --only change --count 50 --json numbers.json

Every benchmark starts a box of its own with demo data in a folder of its own, measures a few hundred times,
prints p50 and p95, says where the time goes, and a ratio to something bare that was measured in the same run:
the same request without the question, the same commit heard by a bare LISTEN. The ratio travels between
machines; milliseconds do not. Nothing here fails because a machine is slow: tests say what is right, these say
what it costs.
"""
