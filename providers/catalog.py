"""The shape of the catalogue: providers, models and offers are rows of data with dates and sources.

The rows themselves stand in `providers/rows/`, one file for each maker or kind of server. Adding a model is one
`ModelSpec` and an `Offer` for each provider that sells it; forms, checks, prices and documents follow from the rows.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal

Auth = Literal["bearer", "key", "none"]
"""How the key is sent: `Authorization: Bearer …`, `Authorization: Key …`, or no key at all."""


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
    """Calls under way at once, over all replicas."""
    is_here: bool = False
    """Whether it is answered in this process, so that others' calls do not count."""
    accepts_any_model: bool = False
    """Whether a model id outside the catalogue may be sent."""
    key_is_optional: bool = False
    """Whether it is called without a key when there is none."""
    keeps_results_s: float = 3600.0
    """How long what was made can be fetched; where nothing is documented, an hour."""
    upload_url: str | None = None
    """Where input files are uploaded, when that is another address than the base URL."""
    upload_url_variable: str | None = None
    """Environment variable that moves the upload address."""
    jobs_url: str | None = None
    """Where jobs are listed, when that is another address than the base URL."""
    jobs_url_variable: str | None = None
    """Environment variable that moves that address."""
    default_facts: WireFacts | None = None
    """What the wire format needs to know about a model id outside the catalogue."""
    makers_route: str | None = None
    """Of a gateway: what a model id begins with that forces the maker's own route, as `openai` in `openai/gpt-image-2`.
    Limits and prices of its offers are those of that route."""
    default_spec: ModelSpec | None = None
    """What is taken for granted about a model id outside the catalogue; `None`: the widest rules."""
    note: str = ""


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
    has_auto: bool = True
    """Whether the provider can be asked to choose; where not, `auto` becomes the size nearest to the first input image."""
    auto_on_edits_only: bool = False
    """Whether it can be asked to choose only where there are input images."""
    unsaid: str | None = None
    """What comes when no size is said: a size, or what `auto` becomes. `None`: the model chooses."""
    unsaid_on_edits: str | None = None
    """As `unsaid`, where there are input images."""


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
    """Images of one run."""
    max_n_per_call: int = 10
    """Images of one call; a run that wants more is split into several calls at once."""
    max_images: int = 16
    min_images: int = 0
    """Input images it needs; 1 for what only edits."""
    max_prompt_chars: int = 32_000
    max_partials: int = 3
    mask: bool = True
    mask_hint: str = ""
    """What to do about a mask where none is taken; empty: go without, or to another model."""
    takes_user: bool = True
    takes_compression: bool = True
    quality_aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names a provider takes for a quality -> the quality it makes of them."""
    output_tokens: OutputTokens = OutputTokens()
    input_tokens: InputTokenRule = "none"
    snapshots: tuple[str, ...] = ()
    """Dated ids of the same model."""
    edit_qualities: tuple[str, ...] = ()
    """Qualities that only edits take, beside `qualities`: legal when asked for, and never offered as a default."""
    note: str = ""

    passes_unlisted: bool = False
    """Whether a field or value the row does not list is sent all the same, because the server has the last word."""

    def is_retired(self, today: date) -> bool:
        """Whether the maker has switched the model off by `today`."""
        return self.retires_on is not None and self.retires_on <= today


@dataclass(frozen=True, slots=True)
class Price:
    """A dated rate card, USD per million tokens (which is micro-dollars per token). All zero: free."""

    price_id: str
    valid_from: date
    source: str
    text_in: Decimal = Decimal(0)
    image_in: Decimal = Decimal(0)
    image_out: Decimal = Decimal(0)
    text_out: Decimal | None = None
    """`None`: the provider lists none; a reported text share is then priced as image output."""
    per_image: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """USD for an image: quality -> size -> price, with `*` for any other. Where it is, it stands in for output tokens."""
    fee_per_image: Decimal = Decimal(0)
    """USD the provider adds for each image, a cost line of its own."""
    tokens_billed_by: str | None = None
    """Who bills the tokens, where that is not the provider."""
    needs_report: bool = False
    """Whether a cost is only known when the provider reports it, or tokens; the table then tells what to expect, no more."""
    edit_per_image: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """As `per_image`, for edits, where the provider has a price of their own for them: all inclusive."""
    rounds_up_to: Decimal | None = None
    """USD that the list price of each image is rounded up to a multiple of, where the provider does so."""

    @property
    def is_free(self) -> bool:
        """Whether nothing is ever charged."""
        rates = (self.text_in, self.image_in, self.image_out, self.text_out, self.fee_per_image)
        return not (any(rates) or self.per_image or self.edit_per_image)


class WireFacts:
    """Base of what only the wire format needs to know about an offer, such as the paths of its endpoints."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at a provider: its id there, its price, and where it can do less or other than at its maker."""

    provider_id: str
    model_id: str
    provider_model_id: str
    price: Price | None
    """`None`: no price is known."""
    spec: ModelSpec | None = None
    """The model as this provider sells it; `None`: as its maker does."""
    facts: WireFacts | None = None
    needs_key_of: tuple[str, ...] = ()
    """Other providers whose key of the same person travels in the request, as Replicate asks for OpenAI's."""

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
    def _listed(self) -> dict[str, Price | None]:
        """The prices of the rows, before any of the operator's own."""
        return {row.offer_id: row.price for row in self.offers}

    @cached_property
    def repricing(self) -> threading.Lock:
        """Held from reading own prices until they are put in, so that older ones do not come last."""
        return threading.Lock()

    @cached_property
    def _own(self) -> dict[str, Price]:
        return {}

    def reprice(self, own: Mapping[str, Price]) -> None:
        """Puts the operator's own prices (offer -> price) in the place of those of the rows; without one a row has its own.

        The one thing of a catalogue that changes while the app runs. Each composition has a catalogue of its own.
        """
        listed = self._listed
        offers = tuple(replace(row, price=own.get(row.offer_id, listed[row.offer_id])) for row in self.offers)
        vars(self)["offers"] = offers
        vars(self)["_offers"] = {row.offer_id: row for row in offers}
        vars(self)["_own"] = dict(own)

    def listed_price(self, offer_id: str) -> Price | None:
        """The price of the row itself. Raises: UnknownOffer."""
        offer = self.offer(offer_id)
        return (
            self._listed.get(offer_id) if offer_id in self._listed else None if offer_id in self._own else offer.price
        )

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

    def provider_id_of(self, name: str) -> str:
        """The id of the provider called that; the name itself where there is none."""
        return next((row.provider_id for row in self.providers if row.name == name), name)

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
            model = self._models.get(model_id)
            listed = self._offers.get(f"{provider_id}/{model.model_id}") if model else None
            if listed is not None:
                return replace(listed, model_id=model_id, provider_model_id=model_id)
            routed = self._routed(provider, model_id)
            if routed is not None:
                return routed
            return Offer(provider_id, model_id, model_id, self._own.get(offer_id), facts=provider.default_facts)
        sold = ", ".join(row.offer_id for row in self.offers if row.provider_id == provider_id)
        raise UnknownOffer(f"{provider.name} has no model {model_id!r}. It has: {sold}.")

    def _routed(self, provider: Provider, model_id: str) -> Offer | None:
        """The model behind a route that a gateway is told to take. Its price is known on the maker's own route alone."""
        route, slash, name = model_id.partition("/")
        if not slash or provider.makers_route is None:
            return None
        listed = self._offers.get(f"{provider.provider_id}/{name}")
        if listed is not None and route == provider.makers_route:
            return replace(listed, model_id=model_id, provider_model_id=model_id)
        # fal and others call what only edits by the model's name with `-edit` behind it.
        model = self._models.get(name.removesuffix("-edit"))
        if model is None or provider.default_spec is None:
            return None
        spec = replace(
            provider.default_spec,
            model_id=model_id,
            name=f"{model.name} by {route}",
            family=model.family,
            maker=model.maker,
            released_on=model.released_on,
            retires_on=model.retires_on,
        )
        return Offer(provider.provider_id, model_id, model_id, None, spec)

    def without(self, provider_id: str) -> Catalog:
        """The catalogue without that provider and its offers."""
        return Catalog(
            tuple(row for row in self.providers if row.provider_id != provider_id),
            self.models,
            tuple(row for row in self.offers if row.provider_id != provider_id),
        )

    def spec(self, offer: Offer) -> ModelSpec:
        """What the offer's model can do there; for an id typed by hand, what its provider takes for granted."""
        if offer.spec is not None:
            return offer.spec
        provider = self._providers.get(offer.provider_id)
        if provider is not None and provider.default_spec is not None and offer.offer_id not in self._offers:
            return replace(provider.default_spec, model_id=offer.model_id, name=offer.model_id)
        return self._models.get(offer.model_id) or unlisted_model(offer.model_id)

    def with_provider(self, provider: Provider, offers: tuple[Offer, ...] = ()) -> Catalog:
        """The catalogue with one more provider, as a server that its owner named."""
        return Catalog((*self.providers, provider), self.models, (*self.offers, *offers))


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
        passes_unlisted=True,
        note="Not in the catalogue: limits and price are unknown.",
    )
