"""Corpus to index: `python build_index.py [--corpus DIR] [--index DIR] [--model NAME_OR_FOLDER]`."""

import argparse
import sys
import time

from tqdm import tqdm

from chatbot.encoder import load_encoder
from chatbot.errors import AskError
from chatbot.index import build_index
from chatbot.settings import Settings


def main() -> int:
    """Build and say what was built. Returns the exit code: 0, or that of the error."""
    parser = argparse.ArgumentParser(description="Build the index from a folder of articles.")
    parser.add_argument("--corpus", help="folder of .md, .html, .txt and .pdf articles (default: corpus/)")
    parser.add_argument("--index", help="folder to write (default: index/)")
    parser.add_argument("--model", help="packaged model's name, or a sentence-transformers folder")
    args = parser.parse_args()
    began = time.perf_counter()
    try:
        settings = Settings.from_environment(corpus=args.corpus, index=args.index, model=args.model)
        encoder = load_encoder(settings.model)
        built = build_index(
            settings.corpus, settings.index, encoder, lambda articles: tqdm(articles, "Articles", unit=" articles")
        )
    except AskError as error:
        print(f"build_index: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"build_index: {error.strerror or error}: {error.filename}; nothing was replaced", file=sys.stderr)
        return 1
    print(
        f"{built.articles} articles ({built.reused} unchanged), {built.sections} sections, {built.passages} passages, "
        f"{built.sentences} sentences, {built.questions} known questions in {time.perf_counter() - began:.1f} s: index {built.digest[:16]} in {settings.index}"
    )
    for article, lines in built.dropped.items():
        print(f"  {article}: {len(lines)} lines left out as boilerplate")
        for line in lines:
            print(f"    {line if len(line) <= 90 else line[:87] + '...'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
