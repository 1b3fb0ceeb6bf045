"""Every figure of a trading record, defined once: live journal, paper, import and backtest all ask here.

`summarise` gives the named figures, `equity_curve`, `trading_days` and `break_down` the series behind the charts.
Money and R are Decimal throughout, roots too; only what is resampled is float (`resampling`), and says so.
An undefined figure is None, never 0 or infinity, and each carries `n`, the number of samples it rests on.
"""

from .breakdown import Cell, break_down
from .equity import Drawdown, EquityPoint, drawdowns, equity_curve
from .figures import FORMULAS, Figure, Unit, summarise
from .resampling import Paths, Resampled, equity_paths, scatter
from .sample import Sample
from .trades import BREAK_EVEN_BAND, ClosedTrade, Day, Outcome, day_of, outcome_of, trading_days

__all__ = [
    "BREAK_EVEN_BAND",
    "FORMULAS",
    "Cell",
    "ClosedTrade",
    "Day",
    "Drawdown",
    "EquityPoint",
    "Figure",
    "Outcome",
    "Paths",
    "Resampled",
    "Sample",
    "Unit",
    "break_down",
    "day_of",
    "drawdowns",
    "equity_curve",
    "equity_paths",
    "outcome_of",
    "scatter",
    "summarise",
    "trading_days",
]
