"""Questions become plans, and rows become answers.

``linking`` finds by code what a question surely says; ``prompt`` and ``dialects`` put the rest to a model
whose output a grammar holds; ``reading`` joins both into one ``plan``; ``answer`` tells the rows in a sentence.
The model never sees a database and never writes SQL.

    >>> from appliance.llm import Condition, Query, Select, to_rest
    >>> to_rest(Query("beds", (Select("*", "count"),), (Condition("status", "eq", "free"),)))
    '/beds?select=id.count()&status=eq.free'
"""

from appliance.llm.plan import Condition, Having, Order, Query, Select, read_query, validate
from appliance.llm.prompt import Task
from appliance.llm.render import to_rest, to_words

__all__ = [
    "Condition",
    "Having",
    "Order",
    "Query",
    "Select",
    "Task",
    "read_query",
    "to_rest",
    "to_words",
    "validate",
]
