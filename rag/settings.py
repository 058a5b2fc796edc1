"""What can be set, read from the environment and from `.env`.

Every setting stands in `.env.example`, and a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError

DEFAULT_STORE = Path(".citewell")
MINILM = "minilm"


class Settings(BaseSettings):
    """The settings, each by its name in the environment.

    `OPENAI_API_KEY` and `OPENAI_BASE_URL` turn nothing on by themselves: a model is asked only where
    `CITEWELL_LLM` or `CITEWELL_EMBEDDING` names it.
    """

    model_config = SettingsConfigDict(
        env_prefix="CITEWELL_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    openai_api_key: SecretStr = Field(SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field("", validation_alias="OPENAI_BASE_URL")
    llm: str = ""
    embedding: str = MINILM
    store: Path = DEFAULT_STORE
    passages: Annotated[int, Field(ge=1, le=50)] = 8
    llm_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    max_output_tokens: Annotated[int, Field(ge=16)] = 512
    max_file_mb: Annotated[float, Field(gt=0)] = 50.0
    max_question_chars: Annotated[int, Field(ge=1)] = 2000


def load_settings(store: str | Path | None = None) -> Settings:
    """The settings of the environment and `.env`, with the store replaced where one is given.

    Raises:
        SettingsError: A value cannot be used; the message names the setting, the value and why.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    except UnicodeDecodeError:
        raise SettingsError("The file `.env` is not UTF-8. Save it as UTF-8.") from None
    return settings if store is None else settings.model_copy(update={"store": Path(store)})


def variable(name: str) -> str:
    """The name of a setting in the environment.

    Examples:
        >>> variable("llm"), variable("openai_api_key")
        ('CITEWELL_LLM', 'OPENAI_API_KEY')
    """
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"CITEWELL_{name.upper()}"


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0])
    shown = variable(name) if name in Settings.model_fields else name
    return f"The setting {shown} is {first['input']!r}, which cannot be used: {first['msg']}."
