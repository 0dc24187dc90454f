"""The shape of the catalogue: providers, models and offers are rows of data with dates and sources.

The rows themselves stand in `providers/rows/`, one file for each maker or kind of server. Adding a model is one
`ModelSpec` and an `Offer` for each provider that sells it; forms, checks, prices and documents follow from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

Auth = Literal["bearer", "none"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A company or server whose API we call."""

    provider_id: str
    name: str
    adapter: str
    """Which wire format it speaks; a name in `providers.adapters.ADAPTERS`."""
    base_url: str
    base_url_variable: str | None
    """Environment variable that moves the base URL."""
    key_variable: str | None
    """Environment variable with the key; `None` when no key is needed."""
    auth: Auth = "bearer"
    key_url: str | None = None
    """Where a person gets a key."""
    max_concurrent: int = 4
    """Calls under way at once from one process."""
    accepts_any_model: bool = False
    """Whether a model id outside the catalogue may be sent."""


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Which sizes a model makes: a fixed list, or any size within bounds (pixels)."""

    fixed: tuple[str, ...] = ()
    """Legal `WxH`, when only these are. Empty: the bounds below decide."""
    multiple: int = 16
    max_edge: int = 3840
    min_area: int = 655_360
    max_area: int = 8_294_400
    max_ratio: int = 3
    """Long edge over short edge, at most."""
    suggested: tuple[str, ...] = ()
    """Sizes worth offering beside square, landscape and portrait."""


@dataclass(frozen=True, slots=True)
class OutputTokens:
    """How many output tokens an image takes: a table for fixed sizes, or a factor per quality (see `pricing`)."""

    table: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """quality -> size -> tokens."""
    factor: Mapping[str, int] = field(default_factory=dict)
    """quality -> the f of the published formula."""
    per_partial: int = 100


InputTokenRule = Literal["tiles", "patches", "none"]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What a model can do, whoever sells it."""

    model_id: str
    name: str
    family: str
    maker: str
    released_on: date | None
    retires_on: date | None
    """First day without the model at its maker; `None`: no end announced."""
    source: str
    """Where the row was read, and when."""
    qualities: tuple[str, ...]
    sizes: SizeRule
    backgrounds: tuple[str, ...]
    formats: tuple[str, ...]
    moderation: tuple[str, ...] = ()
    input_fidelity: tuple[str, ...] = ()
    """Values it takes; empty: the field must not be sent."""
    max_n: int = 10
    max_images: int = 16
    max_prompt_chars: int = 32_000
    max_partials: int = 3
    mask: bool = True
    takes_user: bool = True
    output_tokens: OutputTokens = OutputTokens()
    input_tokens: InputTokenRule = "none"
    snapshots: tuple[str, ...] = ()
    """Dated ids of the same model."""
    note: str = ""

    def is_retired(self, today: date) -> bool:
        """Whether the maker has switched the model off by `today`."""
        return self.retires_on is not None and self.retires_on <= today


@dataclass(frozen=True, slots=True)
class Price:
    """A dated rate card, USD per million tokens (which is micro-dollars per token). All zero: free."""

    price_id: str
    valid_from: date
    source: str
    text_in: Decimal
    image_in: Decimal
    image_out: Decimal
    text_out: Decimal | None = None
    """`None`: the provider lists none; a reported text share is then priced as image output."""

    @property
    def is_free(self) -> bool:
        """Whether nothing is ever charged."""
        return not (self.text_in or self.image_in or self.image_out or self.text_out)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at a provider: its id there and its price."""

    provider_id: str
    model_id: str
    provider_model_id: str
    price: Price | None
    """`None`: no price is known."""

    @property
    def offer_id(self) -> str:
        """`provider/model`, as on the command line and in the database."""
        return f"{self.provider_id}/{self.model_id}"


class UnknownOffer(ValueError):
    """The name is no offer of the catalogue; the message names near ones."""


@dataclass(frozen=True)
class Catalog:
    """All rows, with look-ups."""

    providers: tuple[Provider, ...]
    models: tuple[ModelSpec, ...]
    offers: tuple[Offer, ...]

    @cached_property
    def _providers(self) -> dict[str, Provider]:
        return {row.provider_id: row for row in self.providers}

    @cached_property
    def _models(self) -> dict[str, ModelSpec]:
        rows = {row.model_id: row for row in self.models}
        return rows | {snapshot: row for row in self.models for snapshot in row.snapshots}

    @cached_property
    def _offers(self) -> dict[str, Offer]:
        return {row.offer_id: row for row in self.offers}

    def provider(self, provider_id: str) -> Provider:
        """The row of that provider. Raises: KeyError when there is none."""
        return self._providers[provider_id]

    def model(self, model_id: str) -> ModelSpec | None:
        """The row of that model, or `None` for an id typed by hand."""
        return self._models.get(model_id)

    def offer(self, offer_id: str) -> Offer:
        """The offer named `provider/model`.

        A model id outside the catalogue becomes an offer without a price where the provider takes any model.

        Raises: UnknownOffer when the provider is unknown or has no such model.
        """
        if offer_id in self._offers:
            return self._offers[offer_id]
        provider_id, _, model_id = offer_id.partition("/")
        provider = self._providers.get(provider_id)
        if provider is None:
            known = ", ".join(sorted(self._providers))
            raise UnknownOffer(
                f"{offer_id!r} names no provider. Offers are written provider/model; providers: {known}."
            )
        if model_id and provider.accepts_any_model:
            listed = (
                self._offers.get(f"{provider_id}/{self._models[model_id].model_id}")
                if model_id in self._models
                else None
            )
            return Offer(provider_id, model_id, model_id, listed.price if listed else None)
        sold = ", ".join(row.offer_id for row in self.offers if row.provider_id == provider_id)
        raise UnknownOffer(f"{provider.name} has no model {model_id!r}. It has: {sold}.")

    def without(self, provider_id: str) -> Catalog:
        """The catalogue without that provider and its offers."""
        return Catalog(
            tuple(row for row in self.providers if row.provider_id != provider_id),
            self.models,
            tuple(row for row in self.offers if row.provider_id != provider_id),
        )

    def spec(self, offer: Offer) -> ModelSpec:
        """What the offer's model can do; for an id typed by hand, the widest rules of the newest family."""
        return self._models.get(offer.model_id) or unlisted_model(offer.model_id)


def unlisted_model(model_id: str) -> ModelSpec:
    """A spec for a model nobody has a row for: everything is allowed and the provider has the last word."""
    return ModelSpec(
        model_id=model_id,
        name=model_id,
        family="typed by hand",
        maker="",
        released_on=None,
        retires_on=None,
        source="typed by hand",
        qualities=("auto", "low", "medium", "high", "xhigh", "max"),
        sizes=SizeRule(multiple=1, min_area=1, max_area=2**26, max_edge=8192, max_ratio=8192),
        backgrounds=("auto", "opaque", "transparent"),
        formats=("png", "jpeg", "webp"),
        moderation=("auto", "low"),
        note="Not in the catalogue: limits and price are unknown.",
    )
