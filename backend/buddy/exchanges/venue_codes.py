"""What venues' error codes mean, as data: refused for sure and why, not carried out, or our key.

Codes and not the library's classes: a class cannot tell "refused" from "perhaps". A code that is not listed here means
nothing, and after an order has left, nothing means that its outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from buddy.core.exchange import Refusal


class Meaning(StrEnum):
    """What is no refusal of an order."""

    TEMPORARY = "temporary"
    """Not carried out; the same may work in a moment."""
    SLOW_DOWN = "slow_down"
    """Not carried out, and nobody may ask again for a while."""
    SKEW = "skew"
    """Not carried out: our clock and theirs differ."""
    KEY = "key"
    UNCHANGED = "unchanged"
    """What we wanted to set is set already."""
    ABSENT = "absent"
    """No such order, or none that still rests."""


Codes = Mapping[str, Refusal | Meaning]


def codes(**groups: str) -> Codes:
    """From words to codes, each group a text of codes: the table the other way round."""
    known = {each.name: each for each in (*Refusal, *Meaning)}
    return {code: known[name] for name, listed in groups.items() for code in listed.split()}


BINANCE = codes(
    DUPLICATE="-4116",
    WOULD_TRIGGER="-2021",
    MARGIN="-2018 -2019 -2027 -2028 -4051",
    MINIMUM="-4003 -4004 -4164",
    PRECISION="-1111 -4014 -4023 -4029 -4030",
    REDUCE_ONLY="-2022 -2024 -4118",
    INACTIVE="-1121 -4108 -4140 -4141",
    OTHER=(
        "-1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1114 -1115 -1116 -1117 -1118 -1119 -1120 -1128 -1130 -2020 "
        "-2023 -2025 -4000 -4001 -4002 -4005 -4006 -4007 -4008 -4013 -4015 -4016 -4024 -4028 -4045 -4047 -4048 -4060 "
        "-4061 -4067 -4068 -4083 -4087 -4088 -4109 -4120 -4129 -4130 -4131 -4135 -4136 -4137 -4138 -4142 -4161 -4165 "
        "-4183 -4184 -4192 -4400 -4401 -4402 -4403 -5021 -5022"
    ),
    UNCHANGED="-4046 -4059",
    ABSENT="-2011 -2013",
    SKEW="-1021",
    SLOW_DOWN="-1003 -1015",
    TEMPORARY="-1008",
    KEY="-1002 -1022 -2014 -2015 -2017",
)

BYBIT = codes(
    DUPLICATE="110072",
    WOULD_TRIGGER="110092 110093",
    MARGIN="110004 110006 110007 110012 110014 110044 110045 110051 110052 110053",
    MINIMUM="110094",
    REDUCE_ONLY="110017 110034",
    INACTIVE="110023 110042 110074 10029",
    OTHER=(
        "10001 110003 110005 110009 110011 110013 110015 110018 110020 110021 110022 110024 110028 110029 110030 "
        "110031 110032 110033 110035 110036 110037 110038 110039 110040 110041 110046 110047 110048 110049 110054 "
        "110055 110056 110057 110058 110059 110060 110061 110062 110063 110067 110068 110069 110070 110071 110080 "
        "110085 110088 110095 110096 110100"
    ),
    UNCHANGED="110025 110026 110043",
    ABSENT="110001 110008 110010 110019",
    SKEW="10002",
    SLOW_DOWN="10006 10009 10018 10429",
    KEY="10003 10004 10005 10007 10010 33004",
)

OKX = codes(
    DUPLICATE="51016 51065",
    WOULD_TRIGGER="51046 51047 51048 51049 51050 51051 51052 51053 51277 51278 51279 51280",
    MARGIN="51004 51008 51119 51127 51131 51502",
    MINIMUM="51020",
    PRECISION="51121",
    REDUCE_ONLY="51022 51023 51112 51169 51170 51172 51205",
    INACTIVE="51001 51021 51027 51028 51029",
    OTHER=(
        "51000 51002 51003 51005 51006 51009 51010 51011 51012 51014 51015 51019 51024 51025 51030 51031 51032 51037 "
        "51038 51039 51043 51044 51045 51066 51068 51100 51101 51102 51103 51104 51105 51108 51109 51110 51111 51113 "
        "51116 51117 51118 51120 51122 51124 51125 51126 51128 51130 51136 51137 51138 51139 51250 51251 51252 51253 "
        "51254 51255 51256 51258 51259 51260 51261 51262 51263 51264 51265 51267 51268 51269 51270 51271 51272 51273 "
        "51274 51275 51276 51281 51282 51283 51284 51288 51289 51290 51291 59000 59107 59108"
    ),
    ABSENT="51400 51401 51402 51410 51603 51620",
    SKEW="50102 50112",
    SLOW_DOWN="50011 50061",
    KEY="50100 50101 50103 50104 50105 50106 50107 50110 50111 50113 50114 50119 50120",
)

BITGET = codes(
    DUPLICATE="40786",
    WOULD_TRIGGER="40830 40831 40832 40833 40834 40835 40836 40837 40917 45122 45121",
    MARGIN="40711 40712 40754 40755 40756 40762 43012",
    MINIMUM="45110 45111 45112",
    PRECISION="45115",
    REDUCE_ONLY="22002 40757",
    INACTIVE="40309 40308",
    OTHER=(
        "40017 40019 40020 40021 40022 40023 40029 40031 40032 40034 40035 40102 40304 40305 40404 40409 40704 40707 "
        "40708 40710 40713 40715 40716 40718 40719 40720 40722 40724 40726 40731 40732 40735 40738 40742 40745 40746 "
        "40747 40748 40749 40752 40758 40759 40760 40761 40763 40764 40765 40774 40775 40797 40798 40799 40800 40808 "
        "40815 43002 43003 43004 43005 43006 43007 43008 43009 43010 43011 45003 45006 45043 45068 45097 45102 45103 "
        "45113 45114"
    ),
    ABSENT="40109 40768 43001 43025",
    SKEW="40004 40005 40008",
    SLOW_DOWN="429 1001 30007 40010429",
    KEY="40001 40002 40003 40006 40009 40011 40012 40014 40018 40037",
)

BINGX = codes(
    DUPLICATE="101481 109201",
    WOULD_TRIGGER="110411 110412 110413 110414",
    MARGIN="100202 101204 101209 101253",
    MINIMUM="101400 101485 110422 110425",
    REDUCE_ONLY="80017 101205 101290 110424 109420",
    INACTIVE="109415 109418 109425",
    OTHER=(
        "80014 80020 100004 100204 100400 100414 100440 101211 101212 101215 101402 101403 101404 101414 101460 "
        "101500 104103 109400 109403 109429 110206 110415 110416 110417"
    ),
    ABSENT="80016 80018 109414 109421",
    SKEW="100421",
    SLOW_DOWN="100410 429",
    KEY="100001 100412 100413 100419",
)

KRAKEN = codes(
    DUPLICATE="clientOrderIdAlreadyExist",
    MARGIN="insufficientAvailableFunds maxPositionViolation",
    MINIMUM="tooManySmallOrders",
    PRECISION="invalidSize invalidPrice",
    REDUCE_ONLY="wouldNotReducePosition",
    INACTIVE="marketSuspended marketInactive contractNotFound",
    OTHER=(
        "invalidOrderType invalidSide invalidArgument requiredArgumentMissing postWouldExecute iocWouldNotExecute "
        "selfFill outsidePriceCollar clientOrderIdTooBig clientOrderIdInvalid tooManyOrders accountInactive "
        "cannotParseInput"
    ),
    ABSENT="notFound filled",
    SKEW="nonceBelowThreshold nonceDuplicate",
    SLOW_DOWN="apiLimitExceeded",
    TEMPORARY="marketUnavailable Unavailable",
    KEY="authenticationError",
)

STATUSES: Mapping[int, Meaning] = {418: Meaning.SLOW_DOWN, 429: Meaning.SLOW_DOWN, 403: Meaning.SLOW_DOWN}
"""Turned away at the door, before any code."""
