"""May this version move on, and who approved?

Answers  at which stage a system is, what the gate to the next one asks, and what of that is there. Emits
`move-requested`, `move-withdrawn`, `approved` (with its decisions), `waived`, `gate-passed`, `moved-back`.
Reads    its own Statements, and whatever evidence the gates' requirements name. Offers   the
`lifecycle-stage` capability: the stage of a system as the log has it. Uses     `system-graph` (what a system
is made of now) and, where offered, `record-stage` (who else keeps the stage).

Nobody types a stage in. It is what the Statements add up to, and the tables here can be rebuilt from them.
"""
