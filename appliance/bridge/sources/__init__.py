"""Sources turn what other parts of the box tell into signals.

``changes`` follows the data service's change feed, ``inference`` follows the model's work, and ``writer``
is any process (the assistant) that writes signals over its own connection.
"""
