"""A prediction game's HTTP API: players join, hand in predictions for a round, and play jokers. All of it is gone when it stops."""

from datetime import UTC, date, datetime
from secrets import token_hex
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Body, Cookie, FastAPI, File, Form, Header, HTTPException, Path, Query, Response, UploadFile

from models import (
    Avatar,
    Country,
    Health,
    JokerCard,
    Name,
    NewPlayer,
    NewPrediction,
    Order,
    PlayedJoker,
    Player,
    PlayerChange,
    Prediction,
    Round,
    Session,
    Tag,
)

# Whoever joins last is kept: memory must not grow with what strangers send.
MOST = 10_000

PLAYERS = {
    "full": {
        "value": {
            "name": "anna",
            "born": "1990-01-02",
            "address": {"city": "São Paulo", "country": "BR"},
            "tags": ["gold"],
            "newsletter": True,
        }
    },
    "least": {"value": {"name": "Bob-7", "born": "2004-02-29", "address": {"city": "Ulm", "country": "DE"}}},
}
JOKERS = {
    "double": {"value": {"joker": {"kind": "double", "round": 7}}},
    "swap": {"value": {"joker": {"kind": "swap", "rounds": [3, 12]}, "note": "sorry!"}},
    "peek": {"value": {"joker": {"kind": "peek", "target": "6f1f7d8e-3c1b-4d0a-9a64-0b9a4c1f2e11", "seconds": 15}}},
}
PREDICTIONS = {"four": {"value": {"round": 7, "values": [-1000, 0, 2.5, 1000], "confidence": 0.8}}}

Id = Annotated[UUID, Path(description="the player's id, as joining gave it")]


class Shelf(dict):
    """Keeps the newest `MOST` entries."""

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if len(self) > MOST:
            del self[next(iter(self))]


class Belongings:
    """What one player has beside a profile."""

    def __init__(self):
        self.jokers: dict[UUID, PlayedJoker] = Shelf()
        self.predictions: dict[UUID, Prediction] = Shelf()


players: dict[UUID, Player] = Shelf()
belongings: dict[UUID, Belongings] = Shelf()
sessions: dict[str, str] = Shelf()

app = FastAPI(title="game", version="1.0.0", description=__doc__)


def known(player_id: UUID) -> Player:
    if player_id not in players:
        raise HTTPException(404, "no such player")
    return players[player_id]


@app.get("/health", operation_id="health")
def health() -> Health:
    return Health(status="ok")


@app.post("/login", operation_id="login")
def login(
    response: Response,
    username: Annotated[Name, Form()],
    password: Annotated[str, Form(min_length=12, max_length=128)],
    remember: Annotated[bool, Form()] = False,
) -> Session:
    """Any password will do: the first to use a name has it. Sets the cookie `session`."""
    token = token_hex(16)
    sessions[token] = username
    response.set_cookie("session", token, max_age=30 * 86400 if remember else None, httponly=True, samesite="lax")
    return Session(token=token, remember=remember)


@app.get("/me", operation_id="me")
def me(session: Annotated[str, Cookie(pattern="^[0-9a-f]{32}$")]) -> dict[str, str]:
    if session not in sessions:
        raise HTTPException(401, "log in first")
    return {"username": sessions[session]}


@app.get("/players", operation_id="list-players")
def list_players(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    order: Order = Order.joined,
    descending: bool = False,
    country: Annotated[Country | None, Query()] = None,
    tag: Annotated[list[Tag], Query(max_length=5)] = [],
) -> list[Player]:
    """One page of those who come from `country` and have every `tag`."""
    found = [
        player
        for player in players.values()
        if (country is None or player.address.country == country) and set(tag) <= set(player.tags)
    ]
    found.sort(key=lambda player: getattr(player, order), reverse=descending)
    return found[offset : offset + limit]


@app.post("/players", status_code=201, operation_id="join")
def join(new: Annotated[NewPlayer, Body(openapi_examples=PLAYERS)]) -> Player:
    player = Player(id=uuid4(), joined=datetime.now(UTC), **new.model_dump())
    players[player.id] = player
    belongings[player.id] = Belongings()
    return player


@app.get("/players/{player_id}", operation_id="show-player")
def show_player(player_id: Id) -> Player:
    return known(player_id)


@app.put("/players/{player_id}", operation_id="replace-player")
def replace_player(player_id: Id, new: Annotated[NewPlayer, Body(openapi_examples=PLAYERS)]) -> Player:
    player = known(player_id).model_copy(update=dict(new))
    players[player_id] = player
    return player


@app.patch("/players/{player_id}", operation_id="change-player")
def change_player(player_id: Id, change: PlayerChange) -> Player:
    given = {name: value for name, value in change if value is not None}
    player = known(player_id).model_copy(update=given)
    players[player_id] = player
    return player


@app.delete("/players/{player_id}", status_code=204, operation_id="leave")
def leave(player_id: Id) -> None:
    known(player_id)
    del players[player_id]
    del belongings[player_id]


@app.put("/players/{player_id}/avatar", operation_id="set-avatar")
def set_avatar(
    player_id: Id,
    image: Annotated[UploadFile, File()],
    caption: Annotated[str | None, Form(max_length=80)] = None,
) -> Avatar:
    known(player_id)
    return Avatar(bytes=image.size or 0, media_type=image.content_type, caption=caption)


@app.post("/players/{player_id}/jokers", status_code=201, operation_id="play-joker")
def play_joker(player_id: Id, card: Annotated[JokerCard, Body(openapi_examples=JOKERS)]) -> PlayedJoker:
    known(player_id)
    joker = PlayedJoker(id=uuid4(), **card.model_dump())
    belongings[player_id].jokers[joker.id] = joker
    return joker


@app.post("/players/{player_id}/predictions", status_code=201, operation_id="predict")
def predict(
    player_id: Id,
    new: Annotated[NewPrediction, Body(openapi_examples=PREDICTIONS)],
    x_idempotency_key: Annotated[UUID, Header(description="the same key makes the same prediction once")],
) -> Prediction:
    known(player_id)
    made = belongings[player_id].predictions
    if x_idempotency_key not in made:
        made[x_idempotency_key] = Prediction(id=x_idempotency_key, made=datetime.now(UTC), **new.model_dump())
    return made[x_idempotency_key]


@app.get("/players/{player_id}/predictions/{round}", operation_id="list-predictions")
def list_predictions(
    player_id: Id,
    round: Annotated[Round, Path()],
    since: date | None = None,
    until: date | None = None,
    least: Annotated[float, Query(ge=0, le=1)] = 0,
) -> list[Prediction]:
    """The player's predictions for a round, made between two days, with at least that confidence."""
    known(player_id)
    first = since or date.min
    last = until or date.max
    return [
        prediction
        for prediction in belongings[player_id].predictions.values()
        if prediction.round == round and first <= prediction.made.date() <= last and (prediction.confidence or 0) >= least
    ]
