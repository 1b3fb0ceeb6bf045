"""Backups: one encrypted file holds database and media, and counts for something once it was restored.

What is taken is written to a public key (age); the identity that opens it never lies on this machine. Each file is
proven right after it was written: opened, restored into an empty database, and compared with what was counted and
hashed in the very snapshot it was dumped from. For that alone it is written to a second key as well, made for this
one run, held in memory and forgotten with it.

VAULT_KEY and SECRET_KEY are in no backup: what is sealed in the database stays sealed in it.
"""
