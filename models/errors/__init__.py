"""The tree of named errors. Each has a stable slug and a sentence for people in English and Chinese.

TesseraError
  Refused                what was asked cannot be done as asked; the caller can mend it
    BadParameter           a parameter is missing, of the wrong type, or out of its range
    MalformedBody          the body is not what its Content-Type says
    TooLarge               more bytes than this endpoint takes
    UsernameTaken          the name belongs to somebody already
    WeakPassword           too short, too long, or too well known
    WrongPassword          the current password, asked for once more, is not the right one
    NotFound               no such user, image or task
    SourceNotAllowed       a task's URL leads where the server does not download from
    WrongState             the task or image is not in a state in which this can be done
  NoSuchPath             nothing is served at this address
  WrongMethod            it is served, but for other methods
  MalformedRequest       not HTTP as it should be
  NoSession              nobody is signed in, or the session has ended
  BadSignature           an upload token or a callback is not signed by us or by the bucket
  NotYours               it belongs to somebody else
  CrossSite              a browser sent the request from another site
  Overloaded             come back later
    TooManyRequests        this person or this address asks too often
    TooManyTasks           this person has too many tasks waiting
    QueueFull              the queue is full
  Unavailable            a part we depend on does not answer
    DatabaseUnavailable    MongoDB
    BucketUnavailable      the bucket
    StorageFull            no room is left for pictures
  JobError               why a task failed
    SourceUnreachable      the source could not be downloaded
    SourceMissing          there is nothing at the source's address
    SourceTooLarge         more bytes than allowed
    NotAPicture            the source is not a picture of a known format, or is damaged
    TooManyPixels          more pixels than allowed
    RecipeImpossible       the recipe does not fit a picture of this size
    TimedOut               the task took longer than a task may
    Crashed                the server died three times over this task

No HTTP here: `handlers/base.py` holds the one table from error to status.
"""

from models.errors.jobs import (
    Crashed,
    JobError,
    NotAPicture,
    RecipeImpossible,
    SourceMissing,
    SourceTooLarge,
    SourceUnreachable,
    TimedOut,
    TooManyPixels,
)
from models.errors.refusals import (
    BadParameter,
    MalformedBody,
    NotFound,
    Refused,
    SourceNotAllowed,
    TooLarge,
    UsernameTaken,
    WeakPassword,
    WrongPassword,
    WrongState,
)
from models.errors.requests import (
    BadSignature,
    CrossSite,
    MalformedRequest,
    NoSession,
    NoSuchPath,
    NotYours,
    WrongMethod,
)
from models.errors.root import (
    Language,
    TesseraError,
    every_error,
)
from models.errors.waits import (
    BucketUnavailable,
    DatabaseUnavailable,
    Overloaded,
    QueueFull,
    StorageFull,
    TooManyRequests,
    TooManyTasks,
    Unavailable,
)

__all__ = [
    "BadParameter",
    "BadSignature",
    "BucketUnavailable",
    "Crashed",
    "CrossSite",
    "DatabaseUnavailable",
    "JobError",
    "Language",
    "MalformedBody",
    "MalformedRequest",
    "NoSession",
    "NoSuchPath",
    "NotAPicture",
    "NotFound",
    "NotYours",
    "Overloaded",
    "QueueFull",
    "RecipeImpossible",
    "Refused",
    "SourceMissing",
    "SourceNotAllowed",
    "SourceTooLarge",
    "SourceUnreachable",
    "StorageFull",
    "TesseraError",
    "TimedOut",
    "TooLarge",
    "TooManyPixels",
    "TooManyRequests",
    "TooManyTasks",
    "Unavailable",
    "UsernameTaken",
    "WeakPassword",
    "WrongMethod",
    "WrongPassword",
    "WrongState",
    "every_error",
]
