"""Files become collections: read and typed in a process of their own, stored in one transaction."""
