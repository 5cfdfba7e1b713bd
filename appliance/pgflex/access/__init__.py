"""Who may see and do what: roles, row policies, masks and tokens, declared here and enforced by PostgreSQL."""
