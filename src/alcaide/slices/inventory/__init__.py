"""Which AI do we run, from what, for what?

The register of AI systems: what each one is for and who answers for it, the components it is made of (with
versions and digests), the data that flows between them, and where which version is deployed.

Emits    `registered`, `changed` and `retired`, one Statement for every write, in the transaction of the write.
Reads    its own Statements, for the history tab. The stage of a system is told to it by whoever moves systems
         through gates, by way of the `record-stage` capability.
Offers   the `system-graph` capability: what a system is made of now, for slices that may not import this one.

Left out on purpose: whether a version may move on (lifecycle), whether it is safe (supply_chain, assurance).
"""
