"""Serve the API and the pages on one port: `python app.py [--host HOST] [--port PORT]`."""

import argparse
import os
import sys

from chatbot.api import create_api
from chatbot.console import mount_console
from chatbot.embed import mount_widget
from chatbot.errors import AskError
from chatbot.serving import listen, open_or_build, serve
from chatbot.settings import Settings


def main() -> int:
    """Serve until interrupted. Returns the exit code: 0, or that of the error."""
    parser = argparse.ArgumentParser(description="Serve the question page and the API.")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", help="TCP port (default: 7860)")
    parser.add_argument("--index", help="folder of the index (default: index/)")
    parser.add_argument("--corpus", help="folder of the articles (default: corpus/)")
    parser.add_argument("--model", help="packaged model's name, or a sentence-transformers folder")
    args = parser.parse_args()
    try:
        settings = Settings.from_environment(**vars(args))
        with listen(settings) as listener:  # before loading: a port in use is found at once
            may_build = args.index is None or args.corpus is not None
            assistant = open_or_build(settings, may_build)
            os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Gradio reads it when it is imported
            from chatbot.pages import mount_page

            service = create_api(assistant, settings)
            mount_widget(service, settings)
            mount_console(service, settings, may_build)
            mount_page(service, settings)
            serve(service, listener, settings.proxies)
    except AskError as error:
        print(f"app: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"app: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
