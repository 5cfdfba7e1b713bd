"""How the box's own model is made: data, training, export, evaluation. Nothing here runs in a box.

    python -m appliance.llm.training.train --out build/train          # hours; goes on where it was stopped
    python -m appliance.llm.training.export build/train models/ask.gguf
    python -m appliance.llm.training.evaluate --wikisql dev.jsonl.gz

``wikisql`` and ``questions`` (from ``domains/`` and ``patterns/``) make examples; ``batches`` packs them;
``network`` is the model, ``train`` the loop.
"""
