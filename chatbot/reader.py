"""The reader: does this sentence, read in its section, answer this question?"""

LONGEST = 128
"""Tokens of a question and a sentence together; what is longer is cut at the sentence's end."""


def reader_input(heading: str, before: str, sentence: str) -> str:
    """What is read beside the question: the sentence under its heading, then the sentence before it.

    The sentence stands first, so that a long neighbour is what is cut.
    """
    return f"{heading}: {sentence} [SEP] {before}" if before else f"{heading}: {sentence}"
