"""The page at /docs: the OpenAPI description as plain HTML, without a script or a request to anybody."""

import json
import re
from html import escape
from typing import Any

REFERENCE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
section { border-top: 1px solid; margin-top: 2rem; }
code, pre { font: .9rem/1.5 ui-monospace, monospace; }
h2 code { font-size: 1.2rem; font-weight: 600; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid; border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid; }
"""


def reference_page(schema: dict[str, Any]) -> str:
    """HTML for an OpenAPI 3.1 description."""
    info = schema["info"]
    parts = [f"<h1>{escape(info['title'])}: the API</h1>", f"<p>{escape(info['description'])}</p>"]
    parts.append('<p>For machines: <a href="openapi.json">openapi.json</a></p>')
    for path, methods in schema["paths"].items():
        parts += [_operation(path, method, operation) for method, operation in methods.items()]
    parts.append("<h2>Objects</h2>")
    parts += [_object(name, model) for name, model in sorted(schema["components"]["schemas"].items())]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}: the API</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    paragraphs = _prose(operation.get("description", "")).split("\n\n")
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    takes = f"<p>Takes JSON: {_type(body)}</p>" if body else ""
    rows = "".join(
        f"<tr><td>{code}</td><td>{escape(response['description'])}</td>"
        f"<td>{_type(response.get('content', {}).get('application/json', {}).get('schema', {}))}</td></tr>"
        for code, response in operation["responses"].items()
    )
    told = "".join(
        f"<pre>{escape(content['example'])}</pre>"
        for response in operation["responses"].values()
        for content in response.get("content", {}).values()
        if isinstance(content.get("example"), str)
    )
    return (
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p><strong>{escape(operation['summary'])}</strong></p>{text}{takes}"
        f"<table><tr><th>Code</th><th>When</th><th>Gives</th></tr>{rows}</table>{told}</section>"
    )


def _object(name: str, model: dict[str, Any]) -> str:
    text = f"<p>{_prose(model.get('description', ''))}</p>"
    if "enum" in model:
        text += "<p>One of " + ", ".join(f"<code>{escape(str(value))}</code>" for value in model["enum"]) + "</p>"
    required = model.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td>"
        f"<td>{_type(kind)}{'' if field in required else ', optional'}</td>"
        f"<td>{_prose(kind.get('description', ''))}</td></tr>"
        for field, kind in model.get("properties", {}).items()
    )
    table = f"<table><tr><th>Field</th><th>Type</th><th>What</th></tr>{rows}</table>" if rows else ""
    example = "".join(f"<pre>{escape(json.dumps(one, indent=2))}</pre>" for one in model.get("examples", []))
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3>{text}{table}{example}</section>'


def _type(kind: dict[str, Any]) -> str:
    """The type in words; an object is a link to its part of the page."""
    if "$ref" in kind:
        name = escape(kind["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in kind:
        return " or ".join(_type(one) for one in kind["anyOf"])
    if kind.get("type") == "array":
        return f"list of {_type(kind.get('items', {}))}"
    if "enum" in kind or "const" in kind:
        return " or ".join(f"<code>{escape(str(one))}</code>" for one in kind.get("enum", [kind.get("const")]))
    return escape(str(kind.get("type", "anything")))
