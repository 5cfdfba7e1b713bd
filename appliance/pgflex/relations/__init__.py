"""Relations between collections: found, declared, and made foreign keys where the data allows it."""
