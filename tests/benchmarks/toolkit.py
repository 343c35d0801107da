"""Django with django-oauth-toolkit, set up once a process: it knows one configuration only."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["SCOPE", "set_up"]

SCOPE: Final = "k:app_record:read"


def set_up(folder: Path) -> None:
    """Configure Django on a SQLite file in a folder and make its tables, unless that was done before.

    Raises:
        ImportError: it is not installed.
    """
    import django
    from django.conf import settings
    from django.core.management import call_command

    if settings.configured:
        return
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "toolkit.db")}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"],
        SECRET_KEY="benchmark",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ALLOWED_HOSTS=["testserver"],
        OAUTH2_PROVIDER={"SCOPES": {SCOPE: "read"}},
        LOGGING_CONFIG=None,
    )
    django.setup()
    call_command("migrate", verbosity=0)
