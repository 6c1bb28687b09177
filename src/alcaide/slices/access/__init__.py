"""Who and which program may do what here?

Emits: `access-event` for every sign-in, failed sign-in, role change, account, token and second-factor change.
Reads: its own tables to answer who is asking; its own evidence for the page that lists access events.

Left out on purpose: the rules themselves (every slice ships its `policies/*.cedar`) and the mechanism that
applies them (`alcaide.kernel.access`).
"""
