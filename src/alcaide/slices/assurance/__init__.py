"""Does it withstand our tests?

Emits `guard-evaluated`: what a detector of the guard makes of labelled rows. Reads the same, to show how good the
guard is and since when that is known. Looking at a text leaves no evidence and keeps nothing of it: what people paste
here is often what must not be kept.
"""
