"""The classes of words that attacks cross with each other."""

from __future__ import annotations

from typing import Final

GAP: Final = r"[^.!?\n]{0,60}?"
ORDERS: Final = (
    "instructions|rules|guidelines|directives|prompt|prompts|directions|restrictions|constraints|commands|"
    "orders|policies|policy|rule|instruction|directive|guideline"
)
LIMITS: Final = (
    r"(?:rules?|restrictions?|filters?|limits?|limitations?|guidelines?|polic(?:y|ies)|ethics|morals?|morality|"
    r"censorship|constraints?|guardrails?|safeguards?|boundaries|taboos?|laws?|inhibitions?|moderation|"
    r"safety (?:rules?|training|filters?|guidelines?|measures|checks?|protocols?|layers?)|alignment)"
)
SHOWN: Final = (
    r"(?:show|reveal|print|output|repeat|display|tell|give|write|dump|leak|share|list|expose|disclose|recite|quote|"
    r"copy|paste|echo|return|spell|translate|render|summari[sz]e|sum up|encode|describe|explain|reproduce|convert|"
    r"turn|make|compose|rephrase|reword|paraphrase|complete|continue|finish|include|what(?:'s| is| are| was| were)|"
    r"how (?:many|long)|which|name|enumerate|state|provide|put|read|type|say)"
)
MACHINE: Final = (
    r"(?:ai(?: assistants?| agents?| models?| systems?| tools?| readers?| reviewers?| bots?)?|a\.i\.|llms?|"
    r"(?:large )?language models?|chat ?bots?|bots?|assistants?|agents?|co-?pilots?|crawlers?|models?|"
    r"summari[sz]ers?|"
    r"(?:coding|browsing|web|email|mail|shopping|research|support|autonomous|automated|llm) (?:agents?|"
    r"assistants?|bots?)|"
    r"automated (?:readers?|systems?|tools?|processors?|reviewers?)|chatgpt|gpt(?:-\d)?|claude|gemini|llama)"
)
ENDS: Final = (
    "ai|a.i.|llm|llms|language model|language models|chatbot|chatbots|chat bot|bot|bots|assistant|assistants|"
    "ai agent|ai agents|ai model|ai models|coding agent|coding agents|copilot|copilots|crawler|crawlers|model|"
    "models|"
    "summarizer|summariser|summarizers|summarisers|ai systems|ai system|automated systems|automated readers|"
    "automated tools|chatgpt|claude|gemini|autonomous agents|browsing agent|web agent|email agent|the agent|this "
    "agent|"
    "any agent|ai tools"
)
DO: Final = (
    r"(?:send|forward|copy|call|run|execute|open|visit|fetch|post|append|delete|remove|cancel|transfer|approve|"
    r"accept|"
    r"upload|submit|search|reply|respond|answer|ignore|disregard|include|add|insert|embed|look up|read|write|"
    r"invite|"
    r"recommend|rate|rank|say|state|tell|skip|disable|commit|paste|download|install|mark|report|output|print|"
    r"retrieve|"
    r"always|never|first|now|do not|don't|must|please|also|stop|use|change|set|schedule|pay|buy|order|list|give|"
    r"reveal|"
    r"close|merge|move|raise|put|show|let|make|confirm|release|export|assign|drop|finish|reverse|post|refuse|"
    r"describe|hand|"
    r"take note|turn|stop|start|enable|subscribe|lock|unlock|translate|book|ask|label|score|redirect|convert|"
    r"kindly|"
    r"activate|reset|"
    r"click|grant|share|email|mail|update|create|follow|summari[sz]e|mention|promote|omit|hide|classify)"
)


ACT: Final = (
    r"(?:send|forward|run|execute|open|visit|fetch|delete|remove|cancel|transfer|approve|accept|upload|submit|"
    r"ignore|disregard|invite|recommend|rate|rank|skip|disable|commit|paste|download|install|pay|buy|order|"
    r"reveal|grant|"
    r"share|email|mail|promote|omit|hide|subscribe|unlock|turn off|switch off|move|merge|close|book|call|copy|"
    r"append|insert|"
    r"embed|first|immediately|also|leak|disclose|redirect|change|set|wipe|stop|translate)"
)
"""What a document for people seldom says that a model has to do."""
