"""What reviewers call a teacher: a bird and a number that say nothing about who it is."""

_NAMES = """
Avocet Bittern Bluebird Bobolink Bunting Chickadee Condor Cormorant Crane Curlew Dipper Dove Dunlin
Egret Eider Falcon Finch Flicker Gannet Godwit Goldfinch Goshawk Grebe Grosbeak Harrier Heron Hoopoe
Ibis Jacana Jay Junco Kestrel Killdeer Kingfisher Kinglet Kite Lapwing Lark Linnet Loon Magpie
Martin Merlin Nightjar Nuthatch Oriole Osprey Ovenbird Owl Pelican Petrel Phoebe Pipit Plover Puffin
Quail Raven Redstart Robin Sandpiper Siskin Skylark Snipe Sparrow Starling Stilt Swallow Swift
Tanager Teal Tern Thrush Towhee Turnstone Veery Vireo Wagtail Warbler Waxwing Wigeon Willet Woodcock
Wren
"""
BIRDS = tuple(_NAMES.split())
_NUMBERS = 90
_FIRST_NUMBER = 10
_BLOCK = len(BIRDS) * _NUMBERS
# Prime and larger than any factor of the block, so multiplying by it shuffles the block without a repeat.
_STRIDE = 4801


def alias_for(pursuit_id: int) -> str:
    """The alias of a pursuit, such as `Heron 14`: another for every pursuit, the same each time.

    Two-digit numbers serve the first several thousand pursuits; later ones get longer numbers.
    """
    block, position = divmod(pursuit_id, _BLOCK)
    number, bird = divmod(position * _STRIDE % _BLOCK, len(BIRDS))
    return f"{BIRDS[bird]} {_FIRST_NUMBER + number + block * _NUMBERS}"
