"""What the register decides without looking anywhere: what is valid, what differs, what is missing.

Everything here takes values and gives values, so that a preview and the write that follows it agree.
"""
