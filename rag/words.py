"""Text -> its words, for the facts that are read word by word: names and negations.

Words keep their place in the text; what is compared is their folded form.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any, NamedTuple

_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4\uff07", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02", '"'),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000\t", " "),
        **dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-"),
    }
)
_WORD = re.compile(r"(?:[^\W\d_]\.){2,}|\w+(?:'\w+)*")
_STOP = re.compile('[.,;:!?()\\[\\]"…\n\u2013\u2014•]')

FUNCTION_WORDS = frozenset(
    """a an the this that these those some any each every either neither both all another other others such no
    i me my mine myself we us our ours ourselves you your yours he him his himself she her hers herself it
    its itself they them their theirs themselves one who whom whose which what where when why how whether
    and or nor but if then else than so as because while although though unless until since whereas of in
    on at by for with from to into onto upon over under about above below between among through during
    before after against within without across along around behind beyond near off out up down toward
    towards via per despite except amid like unlike be is am are was were been being isn't aren't wasn't
    weren't have has had having haven't hasn't hadn't do does did doing done don't doesn't didn't will
    would shall should can could may might must ought won't wouldn't can't couldn't shouldn't cannot i'm
    i've i'll i'd it's he's she's that's there's they're we're you're we've they've you've we'll he'll
    she'll they'll let's who's what's not never there here also too very just only even still yet again
    already ever rather quite more most less least much many few several own same let""".split()
)


def table(text: str) -> dict[str, str]:
    """A dictionary written as `key:value` words.

    Examples:
        >>> table("left:leave told:tell")
        {'left': 'leave', 'told': 'tell'}
    """
    return dict(pair.split(":") for pair in text.split())


_IRREGULAR = table(
    """left:leave told:tell gave:give given:give took:take taken:take held:hold made:make paid:pay said:say
    met:meet found:find knew:know known:know went:go gone:go came:come wrote:write written:write
    spoke:speak spoken:speak broke:break broken:break saw:see seen:see sent:send kept:keep built:build
    lost:lose won:win sold:sell bought:buy brought:bring thought:think began:begin begun:begin chose:choose
    chosen:choose fell:fall fallen:fall grew:grow grown:grow led:lead ran:run drove:drive driven:drive
    rose:rise risen:rise shot:shoot fought:fight caught:catch taught:teach felt:feel dealt:deal meant:mean
    spent:spend stood:stand understood:understand withdrew:withdraw withdrawn:withdraw stole:steal
    stolen:steal banned:ban barred:bar people:person children:child men:man women:woman"""
)


class Word(NamedTuple):
    """One word of a text.

    Attributes:
        text: As it stands, apostrophes straight and without a possessive 's.
        start: Where it begins, in characters.
        end: Where it ends, without the possessive.
        fold: What is compared: lower case, without accents.
        stop: Whether punctuation parts it from the word before (or nothing stands before).
        gap: What stands between it and the word before, a possessive included.
    """

    text: str
    start: int
    end: int
    fold: str
    stop: bool
    gap: str

    @property
    def capital(self) -> bool:
        """Whether it is written as names are: a capital letter in it, or digits and letters ("21st")."""
        return self.text != self.text.lower() or (self.text[0].isdigit() and not self.text.isdigit())


def straighten(text: str) -> str:
    """The text with one spelling of each apostrophe, quotation mark, space and hyphen; same length.

    Examples:
        >>> straighten("Durov\u2019s")
        "Durov's"
    """
    return text.translate(_SPELLINGS)


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """A word as names compare it: no case, accents, dots; acronyms of two letters keep their case.

    `US` and `IT` are not the pronouns that they would be in lower case; `NGOs` is `ngo`.

    Examples:
        >>> fold("Müller"), fold("U.S."), fold("us")
        ('muller', 'US', 'us')
    """
    bare = word.replace(".", "")
    if len(bare) > 2 and bare[-1] == "s" and bare[:-1].isupper():
        bare = bare[:-1]
    if len(bare) == 2 and bare.isupper():
        return bare
    letters = unicodedata.normalize("NFKD", bare.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def split(text: str) -> list[Word]:
    """The words of a straightened text, in order."""
    words: list[Word] = []
    last = 0
    for match in _WORD.finditer(text):
        word = match.group()
        if word.endswith(("'s", "'S")) and len(word) > 2:
            word = word[:-2]
        gap = text[last : match.start()]
        stop = not words or (bool(_STOP.search(gap)) and not _abbreviates(words[-1].text, gap))
        last = match.start() + len(word)
        words.append(Word(word, match.start(), last, fold(word), stop, gap))
    return words


def _abbreviates(word: str, gap: str) -> bool:
    return gap in {". ", "."} and ((len(word) == 1 and word.isupper()) or word.lower() in _ABBREVIATIONS)


_ABBREVIATIONS = frozenset("mr mrs ms dr prof sen rep gov gen st jr sr lt col capt sgt rev hon".split())


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The Snowball stem of a folded word, irregular verbs and plurals taken back first.

    Examples:
        >>> stem("released") == stem("release"), stem("left") == stem("leaving")
        (True, True)
    """
    lower = word.casefold()
    stemmed: str = _stemmer().stemWord(_IRREGULAR.get(lower, lower))
    return stemmed


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
