"""Prompts that people keep under a name, each its owner's alone."""

from __future__ import annotations

from storage.engine import Database
from storage.records import Template
from storage.rows import changed, document, fetch, fetch_one, foreign_text, to_template


def put(db: Database, template: Template) -> None:
    """Writes a template; one of the same owner and name is replaced, and keeps its id.

    Raises:
        sqlite3.IntegrityError: an empty name, or one of more than 80 characters.
    """
    db.conn.execute(
        """insert into templates (template_id, owner, name, prompt, settings, updated_at) values (?, ?, ?, ?, ?, ?)
        on conflict (owner, name) do update set
            prompt = excluded.prompt, settings = excluded.settings, updated_at = excluded.updated_at""",
        (
            template.template_id,
            template.owner,
            foreign_text(template.name),
            foreign_text(template.prompt),
            document(template.settings),
            template.updated_at,
        ),
    )


def get(db: Database, owner: str, template_id: str) -> Template | None:
    """The owner's template, or `None`."""
    row = fetch_one(db, "select * from templates where owner = ? and template_id = ?", (owner, template_id))
    return to_template(row) if row else None


def named(db: Database, owner: str, name: str) -> Template | None:
    """The owner's template of that name, or `None`."""
    row = fetch_one(db, "select * from templates where owner = ? and name = ?", (owner, foreign_text(name)))
    return to_template(row) if row else None


def of_owner(db: Database, owner: str, limit: int) -> list[Template]:
    """The owner's templates by name."""
    rows = fetch(
        db, "select * from templates where owner = ? order by name collate nocase, name limit ?", (owner, limit)
    )
    return [to_template(row) for row in rows]


def count(db: Database, owner: str) -> int:
    """How many templates the owner has."""
    row = fetch_one(db, "select count(*) as kept from templates where owner = ?", (owner,))
    return int(row["kept"]) if row else 0


def rename(db: Database, owner: str, template_id: str, name: str) -> bool:
    """Gives the owner's template another name; false when it is not there.

    Raises:
        sqlite3.IntegrityError: another template of the owner has this name.
    """
    return changed(
        db,
        "update templates set name = :name where owner = :owner and template_id = :template_id",
        {"owner": owner, "template_id": template_id, "name": foreign_text(name)},
    )


def delete(db: Database, owner: str, template_id: str) -> bool:
    """Drops the owner's template; false when it is not there."""
    return changed(
        db,
        "delete from templates where owner = :owner and template_id = :template_id",
        {"owner": owner, "template_id": template_id},
    )
