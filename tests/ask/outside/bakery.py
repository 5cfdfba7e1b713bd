"""A wholesale bakery (camelCase), and the helpers that maintenance.py shares."""
import random
from collections import Counter, defaultdict
from datetime import date, timedelta

SEED = 444


# ---------------------------------------------------------------- helpers
def ids(rows, *keys):
    """One alternative per identifying key: the list of rows, each shown by that key."""
    assert rows
    return [[[r[k]] for r in rows] for k in keys]


def one(v):
    return [[[v]]]


def nums(*vals):
    """Alternatives that are each a single number; duplicates dropped."""
    out = []
    for v in vals:
        v = round(v, 4) if isinstance(v, float) else v
        assert v, vals
        if [[v]] not in out:
            out.append([[v]])
    return out


def lists(key, *rowsets):
    """Alternatives that are each a list of rows shown by key; duplicates dropped."""
    out = []
    for rows in rowsets:
        a = [[r[key]] for r in rows]
        assert a
        if a not in out:
            out.append(a)
    return out


def groups(*ds):
    out = []
    for d in ds:
        a = [[k, round(v, 4) if isinstance(v, float) else v] for k, v in d.items()]
        assert a
        if a not in out:
            out.append(a)
    return out


def top(rows, f, n=1, low=False):
    s = sorted(rows, key=f, reverse=not low)
    if len(s) > n:
        assert f(s[n - 1]) != f(s[n]), ("tie", s[n - 1], s[n])
    return s[:n]


def total(rows, k):
    return round(sum(r[k] for r in rows), 2)


def mean(vals):
    vals = list(vals)
    assert vals
    return sum(vals) / len(vals)


def group_sum(rows, kf, vf):
    d = defaultdict(float)
    for r in rows:
        d[kf(r)] += vf(r)
    return {k: round(v, 2) for k, v in d.items()}


def group_mean(rows, kf, vf):
    d = defaultdict(list)
    for r in rows:
        d[kf(r)].append(vf(r))
    return {k: mean(v) for k, v in d.items()}


def periods(today):
    this_mon = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    last_first = (first - timedelta(days=1)).replace(day=1)
    next_first = (first + timedelta(days=32)).replace(day=1)
    march = date(today.year if today >= date(today.year, 3, 1) else today.year - 1, 3, 1)
    return this_mon, first, last_first, next_first, march


# ---------------------------------------------------------------- 1. bakery
def bakery(today):
    rng = random.Random(SEED)

    def d(off):
        return (today + timedelta(days=off)).isoformat()

    this_mon, first, last_first, next_first, march = periods(today)

    pk = ("productName", "category", "unitPrice", "weightGrams", "glutenFree", "stockOnHand",
          "shelfLifeDays", "allergens", "leadBaker", "launchedOn")
    products = [dict(zip(pk, r)) for r in [
        ("Country Sourdough", "bread", 3.80, 850, False, 64, 5, "wheat", "Tomasz Wilk", "2014-03-10"),
        ("Seeded Rye", "bread", 4.15, 900, False, 38, 9, "rye, sesame", "Tomasz Wilk", "2015-09-01"),
        ("Walnut Loaf", "bread", 4.60, 700, False, 12, 6, "wheat, nuts", "Greta Molloy", "2018-10-15"),
        ("Buckwheat Loaf", "bread", 5.25, 600, True, 17, 4, None, "Greta Molloy", "2021-01-18"),
        ("Burger Bun", "rolls", 0.65, 90, False, 240, 3, "wheat, milk, egg", "Joanna Pike", "2016-05-02"),
        ("Rice Flour Roll", "rolls", 0.95, 80, True, 55, 2, None, "Joanna Pike", "2022-04-11"),
        ("Poppy Seed Roll", "rolls", 0.55, 75, False, 180, 2, "wheat", "Joanna Pike", "2014-03-10"),
        ("Butter Croissant", "pastry", 1.35, 70, False, 130, 1, "wheat, milk, egg", "Luc Moreau", "2014-06-20"),
        ("Almond Croissant", "pastry", 1.85, 95, False, 42, 1, "wheat, milk, egg, nuts", "Luc Moreau", "2017-02-06"),
        ("Cinnamon Bun", "pastry", 1.60, 110, False, 9, 2, "wheat, milk", "Sofia Brandt", "2019-11-04"),
        ("Pecan Tart", "cake", 16.50, 1100, False, 6, 7, "wheat, milk, egg, nuts", "Sofia Brandt", "2020-09-28"),
        ("Flourless Chocolate Cake", "cake", 22.00, 1300, True, 8, 8, "milk, egg", "Sofia Brandt", "2023-02-13"),
        ("Carrot Cake", "cake", 19.40, 1500, False, 11, 6, "wheat, egg", "Luc Moreau", "2018-04-09"),
        ("Fruit Loaf Cake", "cake", 9.75, 800, False, 27, 21, "wheat, milk, egg", "Greta Molloy", "2016-11-21"),
    ]]

    ck = ("customerName", "contactPerson", "city", "customerType", "phoneNumber", "discountPercent",
          "customerSince", "standingOrder", "paymentTermDays", "creditLimit", "accountManager")
    customers = [dict(zip(ck, r)) for r in [
        ("Harbour Hotel", "Denise Okafor", "Bristol", "hotel", "0117 496 0112", 7.5, "2015-04-01", True, 30, 6000, "Rachel Stone"),
        ("Old Mill Cafe", "Peter Lyle", "Bath", "cafe", "01225 496 0207", 0.0, "2019-08-19", True, 14, 1200, "Rachel Stone"),
        ("Royal Crescent Tearooms", "Amelia Hart", "Bath", "cafe", "01225 496 0331", 2.5, "2016-02-22", False, 14, 1500, "Imran Shah"),
        ("St Anne's Primary School", "Colin Webb", "Gloucester", "school", "01452 496 0418", 5.0, "2020-09-07", True, 30, 2000, None),
        ("Greenleaf Grocers", "Hannah Fry", "Cheltenham", "grocery", "01242 496 0520", 6.0, "2017-05-15", True, 21, 3500, "Imran Shah"),
        ("Abbey Court Hotel", "Marco Bellini", "Bath", "hotel", "01225 496 0644", 5.0, "2018-01-30", False, 30, 4500, "Rachel Stone"),
        ("Docklands Diner", "Kelly Munro", "Bristol", "restaurant", "0117 496 0719", 0.0, "2022-03-14", False, 7, 800, None),
        ("Severn Brasserie", "Yusuf Demir", "Gloucester", "restaurant", "01452 496 0853", 2.5, "2021-06-28", True, 14, 1800, "Imran Shah"),
        ("Corner Deli", "Ruth Abrams", "Cheltenham", "grocery", "01242 496 0902", 3.0, "2014-11-03", True, 14, 1600, "Oliver Dunn"),
        ("Montpellier Grand", "Simone Vasseur", "Cheltenham", "hotel", "01242 496 1015", 10.0, "2016-10-10", True, 45, 8000, "Oliver Dunn"),
        ("Kingsway Supermarket", "Gareth Nolan", "Gloucester", "grocery", "01452 496 1127", 12.0, "2019-02-04", True, 45, 9500, "Oliver Dunn"),
        ("Riverside Kitchen", "Paula Reyes", "Bristol", "restaurant", "0117 496 1230", 0.0, "2023-05-22", False, 7, 900, None),
        ("Fig and Fennel", "Nadia Karim", "Bristol", "cafe", "0117 496 1344", 0.0, d(-40), False, 7, 500, "Rachel Stone"),
        ("Hillview College", "Stephen Croft", "Cheltenham", "school", "01242 496 1456", 4.0, "2024-01-08", False, 30, 2500, None),
    ]]
    pby = {p["productName"]: p for p in products}
    cby = {c["customerName"]: c for c in customers}
    buyers = [c["customerName"] for c in customers[:12]]
    drivers = ["Priya Nair", "Dale Hobbs", "Wes Calloway"]

    orders = []

    def add(ordered, deliver, status=None, customer=None, product=None, qty=None, paid=None):
        customer = customer or rng.choice(buyers)
        product = product or rng.choice(products)["productName"]
        p = pby[product]
        if qty is None:
            qty = {"bread": rng.randint(10, 70), "rolls": rng.randint(6, 40) * 10,
                   "pastry": rng.randint(4, 24) * 10, "cake": rng.randint(2, 18)}[p["category"]]
        roll, roll2, drv = rng.random(), rng.random(), rng.choice(drivers)
        if status is None:
            status = "delivered" if roll < 0.84 else "cancelled" if roll < 0.93 else "baking"
        if paid is None:
            paid = status == "delivered" and roll2 < 0.72
        orders.append({
            "orderNumber": 0, "customer": customer, "product": product, "quantity": qty,
            "totalAmount": round(qty * p["unitPrice"] * (1 - cby[customer]["discountPercent"] / 100), 2),
            "orderedOn": ordered.isoformat(), "deliveryDate": deliver.isoformat(), "orderStatus": status,
            "isPaid": paid, "driver": drv if status in ("delivered", "baking") else None})

    T = timedelta
    for _ in range(32):                                   # history, all delivery dates in the past
        o = today - T(days=rng.randint(6, 170))
        add(o, o + T(days=rng.randint(1, 4)))
    for k, (c, p, q) in zip((1, 2, 4), (("Abbey Court Hotel", "Butter Croissant", 90),        # last week
                                        ("Old Mill Cafe", "Carrot Cake", 4), ("Corner Deli", "Seeded Rye", 35))):
        o = this_mon + T(days=k - 7)
        add(o, o + T(days=2), "delivered", c, p, q, paid=(k == 2))
    for k, (c, p, q) in zip((2, 9, 16), (("Montpellier Grand", "Country Sourdough", 72),       # last month
                                         ("Kingsway Supermarket", "Burger Bun", 420), ("Harbour Hotel", "Almond Croissant", 110))):
        o = last_first + T(days=k)
        add(o, o + T(days=1), "delivered", c, p, q, paid=(k != 16))
    # late: should have gone out, still not delivered
    add(today - T(days=5), today - T(days=2), "baking", "Severn Brasserie", "Walnut Loaf", 22, False)
    add(today - T(days=6), today - T(days=3), "received", "Docklands Diner", "Burger Bun", 150, False)
    add(today - T(days=4), today - T(days=1), "received", "Royal Crescent Tearooms", "Cinnamon Bun", 60, False)
    # upcoming
    for oo, dd, st, c, p, q, paid in [
        (-2, 1, "baking", "Greenleaf Grocers", "Poppy Seed Roll", 260, False),
        (-1, 1, "baking", "Harbour Hotel", "Country Sourdough", 48, False),
        (-1, 3, "received", "Kingsway Supermarket", "Fruit Loaf Cake", 45, False),
        (0, 4, "received", "Old Mill Cafe", "Butter Croissant", 80, True),
        (0, 6, "received", "St Anne's Primary School", "Rice Flour Roll", 120, False),
        (-3, 9, "received", "Montpellier Grand", "Pecan Tart", 14, True),
        (-2, 11, "received", "Abbey Court Hotel", "Flourless Chocolate Cake", 9, False),
        (-2, 8, "cancelled", "Riverside Kitchen", "Carrot Cake", 5, False),
        (-1, 19, "received", "Corner Deli", "Buckwheat Loaf", 30, False),
        (0, 24, "received", "Montpellier Grand", "Flourless Chocolate Cake", 25, False),
    ]:
        add(today + T(days=oo), today + T(days=dd), st, c, p, q, paid)
    orders.sort(key=lambda o: (o["orderedOn"], o["deliveryDate"], o["customer"], o["product"]))
    for i, o in enumerate(orders):
        o["orderNumber"] = 7001 + i

    # ---- gold
    iso = date.isoformat
    O, P, C = orders, products, customers
    live = [o for o in O if o["orderStatus"] != "cancelled"]
    deliv = [o for o in O if o["orderStatus"] == "delivered"]

    def osel(rows, f):
        return [o for o in rows if f(o)]

    ordered_month = lambda o: iso(first) <= o["orderedOn"] < iso(next_first)
    last_week = lambda o: iso(this_mon - T(days=7)) <= o["orderedOn"] < iso(this_mon)
    last_month = lambda o: iso(last_first) <= o["orderedOn"] < iso(first)
    next14 = lambda o: iso(today) < o["deliveryDate"] <= d(14)
    ON = "orderNumber"
    unpaid = lambda o: not o["isPaid"]

    def customers_of(rows):
        n = {o["customer"] for o in rows}
        return [c for c in C if c["customerName"] in n]

    def top_customers(rows, n):
        s = group_sum(rows, lambda o: o["customer"], lambda o: o["totalAmount"])
        return [[k] for k, _ in top(list(s.items()), lambda kv: kv[1], n)]

    def top_product(rows):
        s = group_sum(rows, lambda o: o["product"], lambda o: o["quantity"])
        return [[k] for k, _ in top(list(s.items()), lambda kv: kv[1], 1)]

    def uniq(*alts):
        out = []
        for a in alts:
            if a not in out:
                out.append(a)
        return out

    cat = lambda o: pby[o["product"]]["category"]
    amt = lambda o: o["totalAmount"]
    named = next(o for o in deliv if o["customer"] == "Abbey Court Hotel")
    owed = lambda o: unpaid(o) and o["customer"] == "Harbour Hotel"
    bath_unpaid = lambda o: unpaid(o) and cby[o["customer"]]["city"] == "Bath"
    hotel_sour = lambda o: cby[o["customer"]]["customerType"] == "hotel" and o["product"] == "Country Sourdough"
    priya = lambda o: o["driver"] == "Priya Nair"
    bc = lambda o: o["product"] == "Butter Croissant"

    Q = [
        ("gluten free products", ids([p for p in P if p["glutenFree"]], "productName")),
        ("How many orders haven't been paid yet?",
         nums(len(osel(O, unpaid)), len(osel(live, unpaid)))),
        ("customers in Bristol", ids([c for c in C if c["city"] == "Bristol"], "customerName")),
        ("What do we charge for a Seeded Rye?", one(pby["Seeded Rye"]["unitPrice"])),
        ("who do I ask for at the Harbour Hotel?", one(cby["Harbour Hotel"]["contactPerson"])),
        ("What's the total value of the orders placed this month?",
         nums(total(osel(O, ordered_month), "totalAmount"), total(osel(live, ordered_month), "totalAmount"))),
        ("orders that came in last week", lists(ON, osel(O, last_week), osel(live, last_week))),
        ("how many orders did we take last month",
         nums(len(osel(O, last_month)), len(osel(live, last_month)))),
        ("Which deliveries are coming up in the next 14 days?",
         lists(ON, osel(O, next14), osel(live, next14))),
        ("what has to go out tomorrow", lists(ON, osel(O, lambda o: o["deliveryDate"] == d(1)))
         + lists("product", osel(O, lambda o: o["deliveryDate"] == d(1)))),
        ("Which orders should have been delivered by now but are still being baked or waiting?",
         lists(ON, osel(O, lambda o: o["deliveryDate"] < iso(today) and o["orderStatus"] in ("baking", "received")))),
        ("Is the Buckwheat Loaf gluten free?", one(pby["Buckwheat Loaf"]["glutenFree"]) + one("yes")),
        ("average order value", nums(mean(map(amt, O)), mean(map(amt, live)))),
        ("how many customers do we have per city", groups(Counter(c["city"] for c in C))),
        ("Total order value by type of product, you know, bread, rolls, cake and so on",
         groups(group_sum(O, cat, amt), group_sum(live, cat, amt), group_sum(deliv, cat, amt))),
        ("orders over 250 pounds",
         lists(ON, osel(O, lambda o: o["totalAmount"] > 250), osel(live, lambda o: o["totalAmount"] > 250))),
        ("Which customers don't have a standing order?",
         ids([c for c in C if not c["standingOrder"]], "customerName")),
        ("top 3 customers by what they've spent with us",
         uniq(top_customers(O, 3), top_customers(live, 3), top_customers(deliv, 3),
              top_customers([o for o in O if o["isPaid"]], 3))),
        ("which of our things have nuts in them?",
         ids([p for p in P if p["allergens"] and "nuts" in p["allergens"]], "productName")),
        ("products with no allergens recorded", ids([p for p in P if p["allergens"] is None], "productName")),
        ("How many butter croissants were ordered altogether?",
         nums(total(osel(O, bc), "quantity"), total(osel(live, bc), "quantity"))),
        ("Which hotels have bought the Country Sourdough?",
         uniq(*(ids(customers_of(osel(rows, hotel_sour)), "customerName")[0] for rows in (O, live, deliv)))),
        ("unpaid orders from Bath customers", lists(ON, osel(O, bath_unpaid), osel(live, bath_unpaid))),
        ("who has been with us since before 2017?",
         ids([c for c in C if c["customerSince"] < "2017-01-01"], "customerName", "contactPerson")),
        ("cheapest cake", ids(top([p for p in P if p["category"] == "cake"], lambda p: p["unitPrice"], low=True), "productName")),
        ("anything we have fewer than 15 of left?", ids([p for p in P if p["stockOnHand"] < 15], "productName")),
        ("how much does the Harbour Hotel still owe us?",
         nums(total(osel(O, owed), "totalAmount"), total(osel(live, owed), "totalAmount"),
              total(osel(deliv, owed), "totalAmount"))),
        ("Are there customers who never ordered anything?",
         ids([c for c in C if c["customerName"] not in {o["customer"] for o in O}], "customerName")),
        ("how many ordres has Priya Nair delivered so far", nums(len(osel(deliv, priya)))),
        (f"what's the status of order {named[ON]}", one(named["orderStatus"])),
        ("hotels with more than 5000 credit",
         ids([c for c in C if c["customerType"] == "hotel" and c["creditLimit"] > 5000], "customerName")),
        ("What's the email address of Greenleaf Grocers?", "none"),
        ("how many kilos of flour are left", "none"),
        ("Which customers complained about quality?", "none"),
        ("How much profit do we make on the Pecan Tart?", "none"),
    ]
    return ("bakery_wholesale", {"products": products, "orders": orders, "customers": customers}, Q)


SETS = [bakery(date.today())]
