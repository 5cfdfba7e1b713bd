"""What the console needs of the gateway: accounts and their sessions, the first start, what was done, long work.

Each concept is a file; each ``door_*`` file adds its addresses to the gateway.

    waits.attempt(name)                          # who guesses wrong waits
    account = await accounts.prove(name, password)
    token = sessions.begin(account.name, account.role, address)
"""
