"""The page that documents the API, made of its OpenAPI document.

Layer 4, on Jinja2. Serves ``documentation``. The look and the order of things are in
documentation.html and documentation.css; here is what they show.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from device.evi import documentation_chat as chat

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "documentation.css").read_text(encoding="utf-8")
POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
"""What a browser may load for the page: this style and nothing else."""
DEEPEST = 6
"""Levels of an example; schemas that contain themselves have no end otherwise."""
BOUNDS = {
    "minimum": "{} or more",
    "maximum": "up to {}",
    "minLength": "{} or more characters",
    "maxLength": "up to {} characters",
    "minItems": "{} or more entries",
    "maxItems": "up to {} entries",
}

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A field or a parameter."""

    name: str
    kind: str
    """Its type and bounds, in words."""
    required: bool
    about: str
    place: str = ""
    """Of a parameter: path or query."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route may answer."""

    status: str
    about: str
    kind: str


@dataclass(frozen=True, slots=True)
class Route:
    """A route."""

    anchor: str
    method: str
    path: str
    title: str
    about: str
    parameters: list[Row]
    body: list[Row]
    answers: list[Answer]
    example: str
    """A command line for curl."""


def rendered(document: Schema) -> str:
    """Return the page as HTML."""
    schemas: Schema = document["components"]["schemas"]
    groups: dict[str, list[Route]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            group = (operation.get("tags") or ["other"])[0]
            groups.setdefault(group, []).append(_route(method, path, operation, document))
    pages = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["marked"] = marked
    pages.filters["linked"] = lambda text: linked(text, schemas)
    return pages.get_template("documentation.html").render(
        about=document["info"],
        style=STYLE,
        security=document["components"]["securitySchemes"],
        groups=groups,
        schemas={name: (schema, list(_fields(schema))) for name, schema in schemas.items()},
        chat=chat,
    )


def marked(text: str) -> Markup:
    """Return text with what stands in backquotes set as code."""
    return Markup(re.sub(r"(`{1,2})([^`]+)\1", r"<code>\2</code>", str(escape(text))))


def linked(text: str, schemas: Schema) -> Markup:
    """Return text with the names of schemas as links to them."""
    return Markup(re.sub(r"\w+", lambda word: _link(word[0], schemas), str(escape(text))))


def _link(word: str, schemas: Schema) -> str:
    return f'<a href="#schema-{word}">{word}</a>' if word in schemas else word


def _route(method: str, path: str, operation: Schema, document: Schema) -> Route:
    schemas: Schema = document["components"]["schemas"]
    body = _content(operation.get("requestBody", {}))
    return Route(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        title=operation.get("summary", path),
        about=operation.get("description", ""),
        parameters=[_parameter(found) for found in operation.get("parameters", ())],
        body=list(_fields(_resolved(body, schemas))),
        answers=[_answer(status, found) for status, found in operation["responses"].items()],
        example=_command(method, path, operation, document["components"]),
    )


def _parameter(found: Schema) -> Row:
    schema = found["schema"]
    about = found.get("description", "")
    if schema.get("default") is not None:
        about = f"{about} Default: {json.dumps(schema['default'])}.".strip()
    return Row(found["name"], kind(schema), found.get("required", False), about, found["in"])


def _answer(status: str, found: Schema) -> Answer:
    return Answer(status, found.get("description", ""), kind(_content(found)))


def _content(found: Schema) -> Schema:
    """Return the schema of a body, whatever its media type; empty if there is none."""
    for media in found.get("content", {}).values():
        schema: Schema = media.get("schema", {})
        return schema
    return {}


def _fields(schema: Schema) -> Iterator[Row]:
    required = schema.get("required", ())
    fields: dict[str, Schema] = schema.get("properties", {})
    for name in sorted(fields, key=lambda name: name not in required):
        field = fields[name]
        yield Row(name, kind(field), name in required, field.get("description", ""))


def kind(schema: Schema) -> str:
    """Return the type of a schema in words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return ", ".join(json.dumps(value) for value in schema["enum"])
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        return " or ".join(kind(variant) for variant in variants)
    bounds = ", ".join(text.format(schema[key]) for key, text in BOUNDS.items() if key in schema)
    words = [str(schema.get("type", "")).replace("array", "list"), f"({bounds})" if bounds else ""]
    if schema.get("type") == "array":
        words.append(f"of {kind(schema.get('items', {}))}")
    return " ".join(word for word in words if word)


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    if "$ref" in schema:
        found: Schema = schemas[kind(schema)]
        return found
    return schema


def example(schema: Schema, schemas: Schema, depth: int = 0) -> Any:
    """Return the smallest value that a schema describes."""
    schema = _resolved(schema, schemas)
    given = [*schema.get("examples", ()), *schema.get("enum", ())]
    given += [schema[key] for key in ("const", "default") if key in schema]
    if given or depth > DEEPEST:
        return given[0] if given else None
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        return example(variants[0], schemas, depth + 1)
    if schema.get("type") == "object":
        fields: dict[str, Schema] = schema.get("properties", {})
        required = schema.get("required", ())
        wanted = [name for name in fields if name in required or "const" in fields[name]]
        return {name: example(fields[name], schemas, depth + 1) for name in wanted}
    if schema.get("type") == "array":
        return [example(schema.get("items", {}), schemas, depth + 1)]
    return {"integer": 1, "number": 1, "boolean": True}.get(schema.get("type", ""), "...")


def _command(method: str, path: str, operation: Schema, parts: Schema) -> str:
    schemas: Schema = parts["schemas"]
    wanted = [
        f"{found['name']}={example(found['schema'], schemas)}"
        for found in operation.get("parameters", ())
        if found["in"] == "query" and found.get("required")
    ]
    target = re.sub(r"\{(\w+)\}", _stand_in, path) + "?" * bool(wanted) + "&".join(wanted)
    lines = [f'curl "$DEVICE{target}"']
    if method != "get":
        lines[0] += f" -X {method.upper()}"
    ways = [name for way in operation.get("security", ()) for name in way]
    basic = any(parts["securitySchemes"][name].get("scheme") == "basic" for name in ways)
    lines.append('-u "$KEY:$SECRET"' if basic else '-H "X-Hume-Api-Key: $KEY"')
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        value = example(content.get("schema", {}), schemas)
        if media == "application/json":
            lines.append("-H 'Content-Type: application/json'")
            lines.append(f"-d {shlex.quote(json.dumps(value))}")
        elif isinstance(value, dict):
            lines += [f"-d {name}={part}" for name, part in value.items()]
        break
    return " \\\n  ".join(lines)


def _stand_in(parameter: re.Match[str]) -> str:
    name = parameter.group(1)
    return "0" if name == "version" else f"${name.upper()}"
