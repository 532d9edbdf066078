from typing import NamedTuple
class Storyboard(NamedTuple):
    svg: str
    text: str
def storyboard(reading, title=None):
    return Storyboard("<svg xmlns='http://www.w3.org/2000/svg'/>", "text")
