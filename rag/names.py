"""Text -> the names in it, and whether other words hold a name.

A name is a run of capitalised words, with particles inside. Without a tagger, the first word of
a sentence is doubtful: see `find_names`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rag.words import FUNCTION_WORDS, Word, table

ORDINARY = frozenset(
    """accept accepting according accordingly actually add adding additional additionally admins admittedly
    adopt adults afterwards ago ahead aid air airlines algorithms allegedly allow allowing almost alone
    alongside altogether always analysis analysts analyzing animals announcing anonymous answers anyone
    anything apart app apparently applying approximately apps arguably argue arguing arrest arrests art
    article artificial artists aside ask asked asking assuming attacks attempts attend attorneys audiences
    authorities authors average avoid awards back bad bail ban banking banks bans based basic basically
    become becoming begin beginning believe benefits besides better big bills board books brands breaking
    briefly bring bringing brothers budget building business businesses buy buyer buyers buying call called
    calls cameras campaigners candidates captured car careful carefully carry cars cases cash cause cells
    certain certainly challenge change changes channels charges cheap check children choose choosing
    citizens city civil civilians claiming claims clean clearly clients climate clinical close coaches cold
    collectively combined come coming commercial common communities companies company compare compared
    comparing competition competitors complaints complete compliance computers concern concerning concerns
    conditions conflict connect consequently conservative considering consistent consumers contact content
    continue contracts contrary contrast contribute control conversely cooperation copies copy corporate
    correspondents corruption cost costs countries country courts cover create creates creating crime crimes
    criminals critical criticism critics crowds cultural currently customer customers cutting daily damage
    dark data day days dealers deals death debate decide decision decisions deep defendants defenders
    defense deliver demand democracy depending deputies describe design designed designers details determine
    develop developers developing developments devices different diplomats direct directors disagreements
    disclosure discourse discover discuss discussions disputes distribution divide doctors documents
    domestic donors dozens drive drivers drug drugs due earlier early earn earnings easy economic editor
    education effective effects efforts eight eighteen eighth eleven emails employee employees employers
    encourage encryption enforcement enjoy enter entire equally especially essentially establish
    establishing eventually everybody everyone everything evidence examine examples executives expand
    experience experts explain explore express extend face facilitate facing failing failure family famous
    far farmers fast feel fewer fifteen fifth fifty fight fill final finally financial find finding findings
    finish first five flights focus following food forced forget former formerly forty founded founder
    founders four fourteen fourth fraud free freedom frequently friends full fully fundamental funding
    further furthermore future gather general generally generate get getting give given global go going good
    government governments great greater ground group groups growing growth hackers half handle hard harm
    health hear help helping hence high higher historically history hold holding home hopefully hotlines
    hour hours however huge human humans hundred hundreds ideally identify ignore illegal imagine
    immediately implement important importantly improve improved include including increase increased
    increasing increasingly indeed individuals inflation information initially innovation innovators inside
    install instead interestingly internal international internet introduce invest investigation
    investigations investigators investors involved issues jet jobs join journalists judge judges keep key
    knowing known lack language large largely last lastly late later law lawmakers laws lawyer lawyers
    leader leaders leading learning leave leaving left legal lenders letters life likely likewise limits
    listen little live lives living local located long look looking lose lots low lower magistrates mainly
    maintain major make making male management managers market markets maybe mean meanwhile measure media
    medical meet members messages messaging military millions mind minor mistakes moderation moderators
    modern moments money monitor month months moreover mostly move multiple music name named names national
    natural naturally nearby nearly necessary needless negotiations neighbors nevertheless new news next
    nine nineteen ninth nobody nonetheless normally notably note nothing notice now nowadays numbers
    numerous obligations obtain obviously occasionally offer officer officers official officials often old
    once ongoing online open operate operating opinion opponents opposition order ordinary organizations
    organize original originally otherwise outside overall overseas owing owners parents part participants
    particular particularly parties party pass passengers past patients pay paying penalties people perform
    perhaps person personal personally phone physical pick place places planning platform platforms play
    please plenty point police policies political politicians polls poor popular possible possibly post
    posts potential power practical practice precisely prepare present presently press presumably prevent
    previous previously prices primarily principles prior privacy private probably problem problems produce
    producers products professional profits progress promises promote proof proponents propose prosecution
    prosecutor prosecutors protect protecting protesters protests prove provide provided providing public
    publicly publish publishers pull purchase push put question questions quickly raise rapid rarely rates
    reach reaction read reading real really receive recent recently recognize recommend record reduce
    reduced refer refugees refusal refuse refusing regarding regardless regional regular regulator
    regulators related relations release released remember removal remove repeat replace reply report
    reportedly reporters reporting reports representative representatives request requests require research
    researchers residents resolve respect responding response responsibility restrictions results return
    revenue review reward right rights rising risk risks role rules run running safety sales sanctions save
    scholars schools science scientific scientists second secondly secret security see seeing seemingly
    select send serve service services set seven seventh sexual share shareholders shares sharing shortly
    show sign significant similar similarly simple simply single sit situation situations six sixteen sixth
    slowly small social society soldiers somehow someone something sometimes somewhat soon source sources
    speaking special specifically spend spending spokesman spokespeople staff stand start started starting
    state statements states stay step stock stop store stories strangely strategy strict strong strongly
    students studies study submit subscribers subsequently substantial successful suddenly sufficient
    suggest supervision support supporters supposedly sure surely surprisingly surround suspects take taken
    taking talks taxes teach teachers teams tech technically technologies technology tell telling ten
    tensions tenth terms terrorism thank thanks thereafter therefore third thirdly thirteen thirty thousands
    threats three throughout thus time times today together tomorrow tonight tools top total touch tourists
    track trade trading traditional traditionally trafficking training transfer transparency travel treat
    trials troops true trust trying turn twelve twenty twice two typical typically ultimately understand
    undoubtedly unfortunately universities unsurprisingly updates urban use used useful user users using
    usually value values various victims video viewers violence visit visitors voices voters votes wages
    wait walk wanting war watch water ways wear week weeks well whatever whenever wherever whole widely win
    winners winning wireless wish witness witnesses women wonder words work worker workers working world
    worldwide worry worse writers writing written wrong year years yes yesterday zero""".split()
)
"""Common words that begin sentences and are no names."""

_PARTICLES = frozenset("of de la van von der den ter al bin ibn du da di del el le dos ap".split())
_DETERMINERS = frozenset("a an the this that these those his her its their our your my".split())
TITLES = frozenset(
    """ceo cfo cto coo president vice mr mrs ms miss dr sir dame lord lady judge justice professor prof
    minister prime chancellor king queen prince princess senator sen representative rep governor gov
    secretary general chairman chairwoman chair director founder pope saint st mayor attorney officer chief
    captain colonel major sheriff detective inspector coach reverend father sister brother doctor ambassador
    congressman congresswoman emperor emir sheikh sultan speaker""".split()
)
_SHORT = {
    "united states": "US",
    "united states of america": "US",
    "united kingdom": "UK",
    "european union": "EU",
    "united nations": "UN",
    "united arab emirates": "uae",
}
_LONGEST_PARTED = 24
"""Longer names, which are lists or headings, must stand in a row (words)."""
_HONORIFICS = frozenset("mr mrs ms miss".split())
_NOT_NAMES = frozenset("i i'm i've i'll i'd ok am pm a.m p.m mr mrs ms dr".split())
_DEMONYMS = table(
    """russian:russia french:france german:germany british:britain italian:italy spanish:spain iranian:iran
    iraqi:iraq ukrainian:ukraine brazilian:brazil chinese:china japanese:japan indian:india
    american:america european:europe african:africa asian:asia australian:australia canadian:canada
    mexican:mexico turkish:turkey israeli:israel egyptian:egypt dutch:netherlands belgian:belgium
    swiss:switzerland swedish:sweden norwegian:norway danish:denmark finnish:finland polish:poland
    greek:greece portuguese:portugal irish:ireland scottish:scotland welsh:wales korean:korea
    pakistani:pakistan afghan:afghanistan saudi:arabia syrian:syria kenyan:kenya nigerian:nigeria
    emirati:emirates austrian:austria hungarian:hungary czech:czechia romanian:romania argentine:argentina
    chilean:chile vietnamese:vietnam indonesian:indonesia"""
)


class Name(NamedTuple):
    """A name where it stands; `words` are its words folded, particles included."""

    start: int
    end: int
    words: tuple[str, ...]


def find_names(words: Sequence[Word], taken: bytearray) -> list[Name]:
    """The names among the words of a text.

    A capitalised word inside a sentence is a name or part of one. The first word of a sentence
    (or of a quotation in it) is one where a name follows it directly, where it is an acronym,
    where the text has it with a capital inside a sentence too, or where it is neither in a list
    of ordinary words nor in lower case elsewhere in the text.

    Args:
        words: The words of the text.
        taken: For each character, whether another fact has it already.
    """
    inner = {word.fold for word in words if word.capital and not _begins(word)}
    lower = {word.fold for word in words if not word.capital}
    lower |= {word.fold for word, following in pairwise(words) if _is_gerund(word, following)}
    names: list[Name] = []
    place = 0
    while place < len(words):
        end = _run(words, place, taken)
        run = _trim(words[place:end], inner, lower)
        if run:
            names.append(Name(run[0].start, run[-1].end, tuple(word.fold for word in run)))
        place = max(end, place + 1)
    return names


def _is_gerund(word: Word, following: Word) -> bool:
    """Whether it is as "Operating" in "Operating a platform": a name in -ing has no article after it."""
    return word.fold.endswith("ing") and following.fold in _DETERMINERS and not following.stop


def _begins(word: Word) -> bool:
    gap = word.gap.rstrip(" ")
    return word.stop and (not gap or gap[-1] in '.!?…:"(\n•[' or "\n" in word.gap)


def _run(words: Sequence[Word], place: int, taken: bytearray) -> int:
    """Where the run of capitalised words that begins at `place` ends, exclusive."""
    if not _may_name(words[place], taken):
        return place
    end = place + 1
    while end < len(words):
        ahead = end
        while (
            ahead < len(words)
            and ahead - end < 2
            and words[ahead].fold in _PARTICLES
            and _joins(words[ahead])
        ):
            ahead += 1
        if ahead == len(words) or not _joins(words[ahead]):
            break
        if not _may_name(words[ahead], taken) and not _is_version(words[ahead]):
            break
        end = ahead + 1
    return end


def _may_name(word: Word, taken: bytearray) -> bool:
    return word.capital and not taken[word.start]


def _is_version(word: Word) -> bool:
    """Whether it is as "4" in "GPT-4"."""
    return word.gap == "-" and word.text[0].isdigit()


def _joins(word: Word) -> bool:
    return not word.stop and word.gap in {" ", "-", ". ", ".", " & ", "&", "'", "/"}


def _trim(run: Sequence[Word], inner: set[str], lower: set[str]) -> list[Word]:
    kept = list(run)
    if len(kept) > 1 and _begins(kept[0]) and kept[0].text.lower() in ORDINARY and kept[0].fold not in inner:
        kept = kept[1:]
    while kept and _is_function(kept[0]):
        kept = kept[1:]
    while kept and _is_function(kept[-1]) and kept[-1].text != "I":  # "World War I"
        kept = kept[:-1]
    if len(kept) == 1 and (kept[0].fold in _NOT_NAMES or not _stands_alone(kept[0], inner, lower)):
        return []
    return kept


def _is_function(word: Word) -> bool:
    if word.text in {"May", "Will"} and not _begins(word):  # "Theresa May"
        return False
    return word.text.lower() in FUNCTION_WORDS and not (word.text.isupper() and 1 < len(word.text) < 4)


def _stands_alone(word: Word, inner: set[str], lower: set[str]) -> bool:
    if not _begins(word) or word.fold in inner:
        return True
    if word.text.isupper() and len(word.text) > 1 and word.fold not in lower:
        return True
    return word.text.lower() not in ORDINARY and word.fold not in lower


def stands(name: Sequence[str], words: Sequence[Word]) -> bool:
    """Whether a name's words stand in a text, as one name.

    All of it may stand in a row, middle names left out ("Mary Franks" for "Mary Anne Franks"); or its
    parts may stand apart, as "Telegram CEO Pavel Durov" does where the text has "Pavel Durov" and
    "the CEO of Telegram". Two plain words must stand together: a Mary and a Durov make no Mary Durov.

    Args:
        name: Folded words, as in `Name.words`.
        words: The words of the text.
    """
    wanted = [word for word in name if word not in _HONORIFICS] or list(name)
    alias = _SHORT.get(" ".join(wanted))
    if _in_row(wanted, words) or (alias and _in_row([alias], words)):
        return True
    if len(wanted) == 1:
        return _known_otherwise(wanted[0], words)
    return len(wanted) <= _LONGEST_PARTED and _stands_in_parts(wanted, words)


def _stands_in_parts(name: list[str], words: Sequence[Word]) -> bool:
    """Whether the name can be cut into parts that stand, no two single plain words side by side.

    For each place in the name, it keeps whether that can be reached by such parts, and whether a
    part that is more than one plain word can come last there.
    """
    reached: dict[int, set[bool]] = {0: {False}}
    for end in range(1, len(name) + 1):
        for start in range(end):
            part = _trim_particles(name[start:end])
            plain = len(part) == 1 and part[0] not in TITLES and part[0] not in _DEMONYMS
            open_to = reached.get(start, set()) - ({True} if plain else set())
            if open_to and _part_stands(part, words):
                reached.setdefault(end, set()).add(plain)
    return len(name) in reached


def _trim_particles(name: list[str]) -> list[str]:
    start, end = 0, len(name)
    while start < end and name[start] in _PARTICLES:
        start += 1
    while end > start and name[end - 1] in _PARTICLES:
        end -= 1
    return name[start:end]


def _part_stands(part: list[str], words: Sequence[Word]) -> bool:
    if len(part) != 1:
        return not part or _in_row(part, words)
    return _alone(part[0], words) or (part[0] in TITLES and _in_row(part, words))


def _alone(word: str, words: Sequence[Word]) -> bool:
    """Whether a word stands somewhere without a capitalised word beside it."""
    for place, other in enumerate(words):
        if other.fold == word or _country(other.fold) == _country(word):
            before = place > 0 and _joins(other) and _names_alone(words[place - 1])
            after = place + 1 < len(words) and _joins(words[place + 1]) and _names_alone(words[place + 1])
            if not before and not after:
                return True
    return False


def _names_alone(word: Word) -> bool:
    return word.capital and word.fold not in TITLES and not _is_function(word)


def _in_row(name: Sequence[str], words: Sequence[Word]) -> bool:
    return any(_follows(name[1:], words, place) for place, word in enumerate(words) if word.fold == name[0])


def _follows(rest: Sequence[str], words: Sequence[Word], place: int) -> bool:
    for wanted in rest:
        for step in range(1, 4):
            ahead = place + step
            if ahead >= len(words) or words[ahead].stop:
                return False
            if words[ahead].fold == wanted:
                place = ahead
                break
            if not words[ahead].capital:
                return False
        else:
            return False
    return True


def _known_otherwise(word: str, words: Sequence[Word]) -> bool:
    """Whether a single word stands as its demonym ("Russian" for Russia), or as the acronym of a name."""
    if any(_country(other.fold) == _country(word) for other in words):
        return True
    return 1 < len(word) < 7 and any(_spells(word.casefold(), words, place) for place in range(len(words)))


def kin(word: str) -> set[str]:
    """A word in small letters, with the country or the people that it is of.

    Examples:
        >>> sorted(kin("russia"))
        ['russia', 'russian']
    """
    country = _country(word)
    return {word, country, *(people for people, home in _DEMONYMS.items() if home == country)}


def is_people(word: str) -> bool:
    """Whether a word in small letters is known as the adjective of a country, or as its people."""
    return _country(word) != word


def _country(word: str) -> str:
    """France for "French", Egypt for "Egyptians"; any other word is itself."""
    return _DEMONYMS.get(word) or _DEMONYMS.get(word.removesuffix("s"), word)


def _spells(acronym: str, words: Sequence[Word], place: int) -> bool:
    letters = ""
    for word in words[place : place + 12]:
        if (letters and word.stop) or len(letters) == len(acronym):
            break
        if word.capital:
            letters += word.fold[0].casefold()
            if not acronym.startswith(letters):
                return False
        elif word.fold not in _PARTICLES | {"the", "and", "for"} or not letters:
            return False
    return letters == acronym
