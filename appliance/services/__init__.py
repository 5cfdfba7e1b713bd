"""The box's own processes: one FastAPI app per file, each started by the supervisor.

    pgflex    writes, catalog and change feed     (loopback)
    llm       the model                           (loopback)
    bridge    signals and streams                 (loopback, UDP)
    gateway   the only public door

`internal.py` holds what the loopback services share: the bearer check, the error shape and the server.
"""
