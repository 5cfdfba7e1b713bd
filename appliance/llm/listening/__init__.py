"""What a person said, as words: a small model of speech, heard on this machine and nowhere else.

    samples ──► sound: one channel, 16,000 a second ──► encoder ──► search: the likeliest words,
    with a little favour for what the facility's data calls its things (hints) ──► text and how sure

    >>> from appliance.llm.listening.listener import Listener
    >>> heard = Listener(shipped_listening()).hear(utterance)  # doctest: +SKIP
    >>> heard.text, heard.sure                                 # doctest: +SKIP
    ('How many beds are free in Cardiology?', True)

The model is Moonshine (Jeffries et al. 2024, arXiv:2410.15608), a transformer that reads samples as they are and
writes pieces of words, or a Whisper that the settings name (:mod:`~appliance.llm.listening.whisper`). Of the libraries
that run them, only :mod:`~appliance.llm.listening.network` and that module know.
"""
