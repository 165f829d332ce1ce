"""What the game is told and what it tells: every constraint that a caller has to keep stands here, and so in openapi.json."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=3, max_length=20, pattern="^[A-Za-z][A-Za-z0-9_-]+$")]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
Tag = Annotated[str, Field(min_length=1, max_length=12, pattern="^[a-z]+$")]
Tags = Annotated[list[Tag], Field(max_length=5)]
Round = Annotated[int, Field(ge=1, le=38)]
Values = Annotated[list[Annotated[float, Field(ge=-1000, le=1000)]], Field(min_length=1, max_length=1000)]


class Model(BaseModel):
    """A member that nobody declared is a mistake of the caller, not something to drop silently."""

    model_config = ConfigDict(extra="forbid")


class Order(StrEnum):
    name = "name"
    joined = "joined"
    score = "score"


class Address(Model):
    city: Annotated[str, Field(min_length=1, max_length=60)]
    country: Country


class NewPlayer(Model):
    name: Name
    born: date
    address: Address
    tags: Tags = []
    newsletter: bool = False


class PlayerChange(Model):
    """What is absent stays as it is."""

    name: Name | None = None
    address: Address | None = None
    tags: Tags | None = None
    newsletter: bool | None = None


class Player(NewPlayer):
    id: UUID
    joined: datetime
    score: int = 0


class Double(Model):
    """The points of one round count twice."""

    kind: Literal["double"]
    round: Round


class Swap(Model):
    """Two rounds exchange their points."""

    kind: Literal["swap"]
    rounds: Annotated[list[Round], Field(min_length=2, max_length=2)]


class Peek(Model):
    """Another player's predictions are shown before the round is over."""

    kind: Literal["peek"]
    target: UUID
    seconds: Annotated[int, Field(ge=5, le=60, multiple_of=5)] = 10


class JokerCard(Model):
    joker: Annotated[Double | Swap | Peek, Field(discriminator="kind")]
    note: Annotated[str, Field(max_length=140)] | None = None


class PlayedJoker(JokerCard):
    id: UUID


class NewPrediction(Model):
    round: Round
    values: Values
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = None


class Prediction(NewPrediction):
    id: UUID
    made: datetime


class Session(Model):
    token: str
    remember: bool


class Avatar(Model):
    bytes: int
    media_type: str | None
    caption: str | None


class Health(Model):
    status: Literal["ok"]
