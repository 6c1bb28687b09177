"""Small learned models in numpy: hashed n-grams, a file format for weights, linear heads over sliding windows.

What is shared here is the costly part: one text is hashed once and every head (injection, toxicity, refusal…) looks
its weights up under the same numbers. Training lives in tools/guard and needs more than numpy; nothing here does.
"""
