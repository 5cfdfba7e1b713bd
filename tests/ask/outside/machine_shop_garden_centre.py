# Test set L4: (1) machine shop, camelCase; (2) tree nursery and garden centre, snake_case. Seed 404.
import random
from datetime import date, timedelta

SEED = 404


# ---------------------------------------------------------------- helpers
def _alts(*lists):
    """Alternatives, without doubles and without empty ones."""
    out = []
    for rows in lists:
        if rows and rows not in out:
            out.append(rows)
    assert out, "no alternative left"
    return out


def _one(v):
    return [[v]]


def _col(docs, f):
    return [[d[f]] for d in docs]


def _sum(docs, f):
    return round(sum(d[f] for d in docs), 2)


def _mean(docs, f):
    docs = list(docs)
    return sum(d[f] for d in docs) / len(docs)


def _group(docs, key, agg):
    g = {}
    for d in docs:
        k = key(d) if callable(key) else d[key]
        g.setdefault(k, []).append(d)
    return [[k, agg(v)] for k, v in sorted(g.items(), key=lambda kv: str(kv[0]))]


def _best(pairs, low=False, n=1):
    """The n highest (lowest) of [name, value] pairs; the border must not be a tie."""
    s = sorted(pairs, key=lambda p: p[1], reverse=not low)
    assert len(s) == n or s[n - 1][1] != s[n][1], ("tie", s[:n + 1])
    return [[p[0]] for p in s[:n]]


def _pairs(docs, k, v):
    return [[d[k], d[v]] for d in docs]


class _Days:
    def __init__(self, today):
        self.t = today
        self.today = today.isoformat()
        self.month0 = today.replace(day=1)
        self.lmonth0 = (self.month0 - timedelta(days=1)).replace(day=1)
        self.nmonth0 = (self.month0 + timedelta(days=32)).replace(day=1)
        self.week0 = today - timedelta(days=today.weekday())
        m = date(today.year, 3, 1)
        self.march = m if today >= m else date(today.year - 1, 3, 1)

    def d(self, n):
        return (self.t + timedelta(days=n)).isoformat()

    def between(self, s, a, b):          # a <= s < b
        return s is not None and a.isoformat() <= s < b.isoformat()

    def this_month(self, s):
        return self.between(s, self.month0, self.nmonth0)

    def last_month(self, s):
        return self.between(s, self.lmonth0, self.month0)

    def this_week(self, s):
        return self.between(s, self.week0, self.week0 + timedelta(days=7))

    def last_week(self, s):
        return self.between(s, self.week0 - timedelta(days=7), self.week0)

    def next_n(self, s, n):
        return s is not None and self.today <= s <= self.d(n)

    def last_n(self, s, n):
        return s is not None and self.d(-n) <= s <= self.today


# ---------------------------------------------------------------- domain 1: machine shop
def _shop(today):
    D = _Days(today)
    rnd = random.Random(SEED)

    mk = ("machineName", "machineType", "manufacturer", "hall", "purchaseDate", "purchasePrice",
          "hourlyRate", "machineStatus", "nextServiceDate", "underWarranty")
    machines = [dict(zip(mk, r)) for r in [
        ("Haas VF-2", "mill", "Haas", "Hall A", "2016-05-12", 68500, 62.0, "running", D.d(6), False),
        ("Haas VF-4", "mill", "Haas", "Hall A", "2019-11-04", 94200, 66.5, "running", D.d(48), False),
        ("Hermle C 32", "mill", "Hermle", "Hall A", "2022-02-21", 312000, 118.0, "running", D.d(75), True),
        ("Okuma LB3000", "lathe", "Okuma", "Hall A", "2014-09-30", 142000, 71.0, "broken down", D.d(13), False),
        ("Mazak Quick Turn 250", "lathe", "Mazak", "Hall B", "2017-03-15", 128900, 69.0, "running", D.d(33), False),
        ("DMG Mori NLX 2500", "lathe", "DMG Mori", "Hall B", "2021-06-08", 236500, 96.0, "maintenance", D.d(2), True),
        ("Doosan Puma 2600", "lathe", "Doosan", "Hall B", "2011-01-19", 87400, 58.5, "idle", None, False),
        ("Trumpf TruLaser 3030", "laser cutter", "Trumpf", "Hall C", "2020-10-02", 465000, 135.0, "running", D.d(21), True),
        ("Bystronic Xpert 150", "press brake", "Bystronic", "Hall C", "2018-07-26", 174000, 74.0, "broken down", D.d(-4), False),
        ("Fronius TPS 400", "welder", "Fronius", "Hall C", "2013-04-11", 11800, 48.0, "running", D.d(90), False),
        ("Kasto SBA 260", "saw", "Kasto", "Hall C", "2009-08-17", 23600, 32.0, "idle", None, False),
        ("Studer S33", "grinder", "Studer", "Hall B", "2023-09-13", 289000, 104.0, "running", D.d(110), True),
        ("Zeiss Contura", "measuring machine", "Zeiss", "Hall B", "2024-01-29", 158000, 88.0, "idle", None, True),
    ]]

    ok = ("operatorName", "homeTown", "trade", "shift", "employmentType", "hireDate", "hourlyWage",
          "cncCertified", "safetyTrainingDue")
    operators = [dict(zip(ok, r)) for r in [
        ("Jürgen Albrecht", "Solingen", "turner", "early", "full-time", "1998-04-01", 31.4, True, D.d(140)),
        ("Sabine Krüger", "Remscheid", "miller", "early", "full-time", "2007-09-03", 29.8, True, D.d(18)),
        ("Mehmet Yildiz", "Solingen", "miller", "late", "full-time", "2012-02-20", 28.1, True, D.d(-9)),
        ("Tobias Lang", "Wuppertal", "welder", "early", "full-time", "2015-06-15", 26.7, False, D.d(64)),
        ("Agnieszka Nowak", "Remscheid", "sheet metal worker", "late", "full-time", "2018-10-01", 25.9, False, D.d(27)),
        ("Dirk Hoffmann", "Wuppertal", "turner", "night", "full-time", "2010-01-11", 30.2, True, D.d(-31)),
        ("Elena Rossi", "Solingen", "grinder", "late", "part-time", "2020-03-16", 24.5, True, D.d(201)),
        ("Paul Winkler", "Leichlingen", "turner", "night", "part-time", "2003-11-24", 27.6, True, D.d(88)),
        ("Lea Sommer", "Remscheid", "miller", "early", "apprentice", D.d(-420), 13.2, False, None),
        ("Kofi Mensah", "Wuppertal", "turner", "early", "apprentice", D.d(-95), 12.4, False, None),
    ]]

    customers = ["Brandt Hydraulik", "Kessler Pumpen", "Nordwind Turbinen", "Lotz Fördertechnik",
                 "Stahlbau Meier", "Rheintal Agrar", "Vogt Medical"]
    parts = ["valve block", "drive shaft", "flange", "bearing housing", "mounting plate", "bushing",
             "gear blank", "bracket", "pump cover", "guide rail"]
    used = [m["machineName"] for m in machines if m["machineName"] not in ("Kasto SBA 260", "Zeiss Contura")]
    names = [o["operatorName"] for o in operators]
    wk = ("orderNumber", "customer", "partName", "machine", "operator", "quantity", "scrapPieces",
          "orderStatus", "dueDate", "finishedOn", "orderValue")
    orders = []

    def add(cust, part, mach, op, qty, scrap, st, due, fin, val):
        orders.append(dict(zip(wk, ("WO-%d" % (2401 + len(orders)), cust, part, mach, op, qty, scrap, st, due, fin, val))))

    for i in range(32):                                     # finished jobs, oldest first
        f = -400 + i * 12 + rnd.randint(0, 9)
        q = rnd.choice([5, 10, 20, 25, 40, 60, 100, 150, 250])
        add(rnd.choices(customers, [6, 5, 4, 3, 3, 2, 2])[0], rnd.choice(parts), rnd.choice(used),
            rnd.choices(names, [5, 5, 4, 4, 3, 4, 3, 2, 2, 2])[0], q, rnd.choice([0, 0, 1, 2, 3, 4, 6, 8, 11]),
            "done", D.d(f + rnd.choice([-9, -4, -2, 0, 1, 3, 5, 8, 10])), D.d(f), round(rnd.uniform(900, 31000), 2))
    h = [("Kessler Pumpen", "pump cover", "Haas VF-4", "Sabine Krüger", 80, 5, "done", 2, -8, 9240.00),
         ("Brandt Hydraulik", "valve block", "Hermle C 32", "Mehmet Yildiz", 24, 2, "done", -5, -3, 17860.50),
         ("Vogt Medical", "bushing", "Studer S33", "Elena Rossi", 300, 7, "done", 1, 0, 12475.00),
         ("Nordwind Turbinen", "bearing housing", "DMG Mori NLX 2500", "Dirk Hoffmann", 6, 1, "in progress", -6, None, 38900.00),
         ("Brandt Hydraulik", "valve block", "Hermle C 32", "Mehmet Yildiz", 36, 1, "in progress", 4, None, 26790.00),
         ("Lotz Fördertechnik", "guide rail", "Bystronic Xpert 150", "Agnieszka Nowak", 120, 4, "on hold", -11, None, 7315.80),
         ("Stahlbau Meier", "bracket", "Trumpf TruLaser 3030", "Tobias Lang", 400, 9, "in progress", 0, None, 5480.00),
         ("Kessler Pumpen", "drive shaft", "Okuma LB3000", "Jürgen Albrecht", 18, 0, "on hold", -2, None, 8122.40),
         ("Rheintal Agrar", "mounting plate", "Trumpf TruLaser 3030", "Agnieszka Nowak", 65, 2, "in progress", 9, None, 3964.25),
         ("Kessler Pumpen", "flange", "Mazak Quick Turn 250", "Paul Winkler", 200, 3, "in progress", -1, None, 6610.00),
         ("Vogt Medical", "bushing", "Studer S33", "Elena Rossi", 500, 0, "planned", 17, None, 21350.00),
         ("Nordwind Turbinen", "flange", "Okuma LB3000", None, 12, 0, "planned", 22, None, 33480.00),
         ("Brandt Hydraulik", "bearing housing", "Haas VF-2", None, 30, 0, "planned", 26, None, 11205.00),
         ("Stahlbau Meier", "bracket", "Fronius TPS 400", "Tobias Lang", 90, 0, "planned", 12, None, 4230.00),
         ("Lotz Fördertechnik", "gear blank", "Doosan Puma 2600", "Kofi Mensah", 50, 0, "planned", 31, None, 2875.00),
         ("Rheintal Agrar", "drive shaft", "Okuma LB3000", "Kofi Mensah", 14, 0, "cancelled", -16, None, 4590.00),
         ("Lotz Fördertechnik", "mounting plate", "Bystronic Xpert 150", None, 70, 0, "cancelled", 5, None, 23940.00),
         ("Kessler Pumpen", "pump cover", "Haas VF-2", "Lea Sommer", 45, 1, "on hold", 14, None, 5077.50),
         ("Brandt Hydraulik", "bushing", "Mazak Quick Turn 250", None, 160, 0, "planned", 38, None, 8840.00)]
    for c, p, m, o, q, s, st, due, fin, val in h:
        add(c, p, m, o, q, s, st, D.d(due), None if fin is None else D.d(fin), val)

    M = {m["machineName"]: m for m in machines}
    O = {o["operatorName"]: o for o in operators}
    done = [w for w in orders if w["orderStatus"] == "done"]
    opn = [w for w in orders if w["orderStatus"] in ("planned", "in progress", "on hold")]
    notc = [w for w in orders if w["orderStatus"] != "cancelled"]
    val = lambda ds: _sum(ds, "orderValue")
    W = {w["orderNumber"]: w for w in orders}
    fin_m = [w for w in orders if D.this_month(w["finishedOn"])]
    due_m = [w for w in orders if D.this_month(w["dueDate"])]

    def scrap_by_op(ds):
        return _group([w for w in ds if w["operator"]], "operator", lambda v: sum(x["scrapPieces"] for x in v))

    Q = [
        ("which machines are broken down right now?",
         _alts(_col([m for m in machines if m["machineStatus"] == "broken down"], "machineName"))),
        ("machines that haven't had a single order",
         _alts(*[_col([m for m in machines if m["machineName"] not in {w["machine"] for w in ds}], "machineName")
                 for ds in (orders, notc)])),
        ("which machines need a service in the next 14 days?",
         _alts(_col([m for m in machines if D.next_n(m["nextServiceDate"], 14)], "machineName"))),
        ("machines still under warranty",
         _alts(_col([m for m in machines if m["underWarranty"]], "machineName"))),
        ("what machinery did we buy before 2015?",
         _alts(_col([m for m in machines if m["purchaseDate"] < "2015-01-01"], "machineName"))),
        ("Which machine is the most expensive to run per hour?",
         _alts(_best(_pairs(machines, "machineName", "hourlyRate")))),
        ("machines with no service planned",
         _alts(_col([m for m in machines if m["nextServiceDate"] is None], "machineName"))),
        ("what did all our lathes cost together",
         _alts(_one(sum(m["purchasePrice"] for m in machines if m["machineType"] == "lathe")))),
        ("average hourly rate for each hall",
         _alts(_group(machines, "hall", lambda v: _mean(v, "hourlyRate")))),
        ("When is the Okuma up for its next service?",
         _alts(_one(M["Okuma LB3000"]["nextServiceDate"]))),
        ("how much did we pay for the Trumpf laser",
         _alts(_one(M["Trumpf TruLaser 3030"]["purchasePrice"]))),
        ("overdue work orders",
         _alts(_col([w for w in opn if w["dueDate"] < D.today], "orderNumber"))),
        ("How many jobs ran on the machines in Hall C?",
         _alts(*[_one(sum(M[w["machine"]]["hall"] == "Hall C" for w in ds)) for ds in (orders, notc, done)])),
        ("how much is the work that's in progress worth in total?",
         _alts(_one(val([w for w in orders if w["orderStatus"] == "in progress"])))),
        ("orders we finished last month",
         _alts(_col([w for w in orders if D.last_month(w["finishedOn"])], "orderNumber"))),
        ("how many orders has each customer placed?",
         _alts(_group(orders, "customer", len), _group(notc, "customer", len))),
        ("which customer brings in the most money",
         _alts(*[_best(_group(ds, "customer", val)) for ds in (orders, notc, done)])),
        ("top 3 work orders by value",
         _alts(_best(_pairs(orders, "orderNumber", "orderValue"), n=3),
               _best(_pairs(notc, "orderNumber", "orderValue"), n=3))),
        ("jobs worth more than 20,000 that aren't done yet",
         _alts(_col([w for w in orders if w["orderValue"] > 20000 and w["orderStatus"] != "done"], "orderNumber"),
               _col([w for w in opn if w["orderValue"] > 20000], "orderNumber"))),
        ("what orders are due this week?",
         _alts(_col([w for w in orders if D.this_week(w["dueDate"])], "orderNumber"),
               _col([w for w in notc if D.this_week(w["dueDate"])], "orderNumber"),
               _col([w for w in opn if D.this_week(w["dueDate"])], "orderNumber"))),
        ("ok so how many pieces of scrap did we make on the jobs finished this month",
         _alts(_one(sum(w["scrapPieces"] for w in fin_m)))),
        ("how many jobs have we finished since March?",
         _alts(_one(sum(w["finishedOn"] is not None and w["finishedOn"] >= D.march.isoformat() for w in orders)))),
        ("how many oders are there for Kessler Pumpen",
         _alts(_one(sum(w["customer"] == "Kessler Pumpen" for w in orders)))),
        ("which hall is WO-2442 being made in?",
         _alts(_one(M[W["WO-2442"]["machine"]]["hall"]))),
        ("what shift is Kofi on",
         _alts(_one(O["Kofi Mensah"]["shift"]))),
        ("operators without a CNC certificate",
         _alts(_col([o for o in operators if not o["cncCertified"]], "operatorName"))),
        ("Who has been with us the longest?",
         _alts(_best(_pairs(operators, "operatorName", "hireDate"), low=True))),
        ("whose safety training has already run out",
         _alts(_col([o for o in operators if o["safetyTrainingDue"] and o["safetyTrainingDue"] < D.today], "operatorName"))),
        ("open orders on machines that are broken down",
         _alts(_col([w for w in opn if M[w["machine"]]["machineStatus"] == "broken down"], "orderNumber"))),
        ("how many work orders were given to apprentices?",
         _alts(*[_one(sum(w["operator"] is not None and O[w["operator"]]["employmentType"] == "apprentice" for w in ds))
                 for ds in (orders, notc)])),
        ("value of the finished orders per shift",
         _alts(_group(done, lambda w: O[w["operator"]]["shift"], val))),
        ("which machine uses the most electricity?",
         "none"),
        ("who called in sick last week?",
         "none"),
        ("how much steel do we still have in stock?",
         "none"),
        ("phone number for Brandt Hydraulik",
         "none"),
    ]
    return {"machines": machines, "workOrders": orders, "operators": operators}, Q


# ---------------------------------------------------------------- domain 2: nursery
def _nursery(today):
    D = _Days(today)
    rnd = random.Random(SEED + 1)

    sk = ("supplier_name", "town", "country", "contact_person", "lead_time_days", "organic_certified",
          "rating", "contract_until", "account_status")
    suppliers = [dict(zip(sk, r)) for r in [
        ("Van Dijk Bomen", "Boskoop", "Netherlands", "Pieter van Dijk", 9, True, 4.6, D.d(310), "active"),
        ("De Groene Hof", "Opheusden", "Netherlands", "Anneke Visser", 6, False, 3.8, D.d(41), "active"),
        ("Baumschule Ehlers", "Pinneberg", "Germany", "Holger Ehlers", 12, True, 4.3, None, "active"),
        ("Lindner Stauden", "Freising", "Germany", "Katrin Lindner", 14, False, 4.1, D.d(130), "on pause"),
        ("Vivai Pistoia", "Pistoia", "Italy", "Giulia Bartoli", 21, False, 4.4, D.d(55), "active"),
        ("Pépinières Leclerc", "Angers", "France", "Marc Leclerc", 16, True, 3.5, None, "on pause"),
        ("Highfield Nurseries", "Evesham", "United Kingdom", "Rosie Carter", 28, False, 3.9, D.d(-60), "ended"),
    ]]

    pk = ("plant_name", "category", "supplier", "retail_price", "stock_qty", "pot_size_l", "max_height_m",
          "evergreen", "flowering_month", "location")
    plants = [dict(zip(pk, r)) for r in [
        ("Silver birch", "tree", "Van Dijk Bomen", 64.50, 22, 30.0, 18.0, False, "April", "field 1"),
        ("Serbian spruce", "tree", "Baumschule Ehlers", 89.00, 14, 35.0, 20.0, True, None, "field 1"),
        ("Japanese maple", "tree", "Vivai Pistoia", 119.00, 7, 20.0, 4.0, False, None, "polytunnel"),
        ("Saucer magnolia", "tree", "Vivai Pistoia", 98.00, 9, 25.0, 6.0, False, "April", "field 2"),
        ("Scots pine", "tree", "Baumschule Ehlers", 72.00, 18, 30.0, 25.0, True, None, "field 1"),
        ("Olive tree", "tree", "Vivai Pistoia", 249.00, 3, 70.0, 5.0, True, "June", "greenhouse"),
        ("Boskoop apple", "fruit", "Van Dijk Bomen", 34.90, 40, 10.0, 4.5, False, "May", "field 2"),
        ("Conference pear", "fruit", "Van Dijk Bomen", 36.50, 31, 10.0, 5.5, False, "April", "field 2"),
        ("Victoria plum", "fruit", "Highfield Nurseries", 29.95, 0, 10.0, 4.0, False, "April", "field 2"),
        ("Red currant", "fruit", "De Groene Hof", 12.50, 66, 3.0, 1.5, False, "April", "polytunnel"),
        ("Common fig", "fruit", "Pépinières Leclerc", 27.00, 11, 7.5, 3.5, False, None, "greenhouse"),
        ("Panicle hydrangea", "shrub", "De Groene Hof", 18.95, 85, 5.0, 2.0, False, "July", "sales area"),
        ("Cherry laurel", "shrub", "De Groene Hof", 15.50, 140, 5.0, 3.0, True, "May", "sales area"),
        ("Boxwood", "shrub", "Pépinières Leclerc", 9.90, 0, 2.0, 1.2, True, None, "sales area"),
        ("Lilac", "shrub", "Baumschule Ehlers", 22.40, 26, 7.5, 4.0, False, "May", "field 2"),
        ("Witch hazel", "shrub", "Van Dijk Bomen", 44.00, 5, 7.5, 3.2, False, "January", "polytunnel"),
        ("Lavender", "perennial", "Lindner Stauden", 4.80, 210, 1.5, 0.6, True, "July", "sales area"),
        ("Purple coneflower", "perennial", "Lindner Stauden", 5.60, 95, 1.5, 1.0, False, "July", "sales area"),
        ("Hosta", "perennial", "Lindner Stauden", 7.20, 48, 2.0, 0.8, False, "July", "polytunnel"),
        ("Clematis", "climber", "De Groene Hof", 16.90, 37, 2.0, 3.8, False, "June", "sales area"),
        ("English ivy", "climber", "Lindner Stauden", 6.40, 72, 1.5, 12.0, True, None, "polytunnel"),
        ("Wisteria", "climber", "Pépinières Leclerc", 39.00, 6, 5.0, 9.0, False, "May", "greenhouse"),
    ]]
    P = {p["plant_name"]: p for p in plants}
    S = {s["supplier_name"]: s for s in suppliers}

    xk = ("receipt_no", "sale_date", "plant_name", "quantity", "unit_price", "total", "customer_name", "sold_by",
          "payment_method", "paid", "delivery_date")
    sales = []
    clients = ["Henrik Olsen", "Café Linde", "Nora Becker", "Gemeinde Altdorf", "Thomas Wirth",
               "Hotel Seeblick", "Ingrid Paulsen", "Gartenbau Schuster"]
    staff = ["Marta Reis", "Ben Falk", "Yvonne Adler", "Oskar Thiel"]

    def add(off, plant, qty, cust, by, pay, paid, deliv, price=None):
        price = price if price is not None else P[plant]["retail_price"]
        sales.append(dict(zip(xk, (5001 + len(sales), D.d(off), plant, qty, price, round(qty * price, 2), cust, by,
                                   pay, paid, None if deliv is None else D.d(deliv)))))

    pool = [p["plant_name"] for p in plants if p["plant_name"] not in ("Olive tree", "Witch hazel", "Common fig")]
    for i in range(42):
        off = -300 + i * 7 + rnd.randint(0, 5)
        pl = rnd.choice(pool)
        pr = P[pl]["retail_price"]
        qty = rnd.choice([1, 1, 2, 2, 3, 4]) if pr > 30 else rnd.choice([2, 3, 5, 6, 8, 10, 12])
        cust = rnd.choice(clients + [None] * 5)
        if cust is None:
            pay, paid, dl = rnd.choice(["cash", "card", "card"]), True, None
        else:
            pay = rnd.choice(["card", "invoice", "invoice", "cash"])
            paid = True if pay != "invoice" else (off < -90 or rnd.random() < 0.6)
            dl = off + rnd.randint(2, 9) if rnd.random() < 0.4 else None
            if dl is not None and dl >= 0:
                dl = -1
        add(off, pl, qty, cust, rnd.choices(staff, [5, 4, 3, 2])[0], pay, paid, dl)
    for row in [(-16, "Cherry laurel", 30, "Gemeinde Altdorf", "Marta Reis", "invoice", False, 5, 13.90),
                (-12, "Scots pine", 4, "Hotel Seeblick", "Ben Falk", "invoice", False, 11),
                (-9, "Lavender", 24, None, "Yvonne Adler", "card", True, None),
                (-7, "Serbian spruce", 1, "Nora Becker", "Marta Reis", "card", True, 3),
                (-7, "Panicle hydrangea", 6, None, "Oskar Thiel", "cash", True, None),
                (-6, "Clematis", 2, "Ingrid Paulsen", "Yvonne Adler", "cash", True, None),
                (-4, "Silver birch", 9, "Gartenbau Schuster", "Ben Falk", "invoice", False, 24, 58.00),
                (-3, "Boskoop apple", 2, "Thomas Wirth", "Marta Reis", "card", True, None),
                (-2, "English ivy", 10, "Café Linde", "Yvonne Adler", "invoice", False, None),
                (-1, "Saucer magnolia", 1, "Henrik Olsen", "Marta Reis", "card", True, 13),
                (-1, "Hosta", 5, None, "Oskar Thiel", "card", True, None),
                (0, "Red currant", 3, None, "Ben Falk", "cash", True, None)]:
        add(*row)

    tot = lambda ds: _sum(ds, "total")
    unpaid = [s for s in sales if not s["paid"]]
    named = [s for s in sales if s["customer_name"]]
    lw = [s for s in sales if D.last_week(s["sale_date"])]
    l30 = [s for s in sales if D.last_n(s["sale_date"], 30)]
    dutch = [p for p in plants if S[p["supplier"]]["country"] == "Netherlands"]
    ever = [p for p in plants if p["evergreen"]]
    sold = {s["plant_name"] for s in sales}
    qty_by = _group(sales, "plant_name", lambda v: sum(x["quantity"] for x in v))

    Q = [
        ("which plants do we have fewer than 10 of left?",
         _alts(_col([p for p in plants if p["stock_qty"] < 10], "plant_name"),
               _col([p for p in plants if 0 < p["stock_qty"] < 10], "plant_name"))),
        ("how many different evergreens do we carry",
         _alts(_one(len(ever)), _one(len([p for p in ever if p["stock_qty"] > 0])))),
        ("What's the priciest plant we sell?",
         _alts(_best(_pairs(plants, "plant_name", "retail_price")))),
        ("cheapest climber",
         _alts(_best(_pairs([p for p in plants if p["category"] == "climber"], "plant_name", "retail_price"), low=True))),
        ("anything that grows taller than 10 metres",
         _alts(_col([p for p in plants if p["max_height_m"] > 10], "plant_name"))),
        ("average price of our shrubs",
         _alts(_one(_mean([p for p in plants if p["category"] == "shrub"], "retail_price")))),
        ("how many pieces are in stock per category?",
         _alts(_group(plants, "category", lambda v: sum(p["stock_qty"] for p in v)))),
        ("what are we completely sold out of?",
         _alts(_col([p for p in plants if p["stock_qty"] == 0], "plant_name"))),
        ("shrubs that stay green in winter",
         _alts(_col([p for p in ever if p["category"] == "shrub"], "plant_name"))),
        ("sales revenue by plant category",
         _alts(_group(sales, lambda s: P[s["plant_name"]]["category"], tot))),
        ("how much is a japanese maple",
         _alts(_one(P["Japanese maple"]["retail_price"]))),
        ("how tall does the Serbian spruce get?",
         _alts(_one(P["Serbian spruce"]["max_height_m"]))),
        ("what's standing in the greenhouse",
         _alts(_col([p for p in plants if p["location"] == "greenhouse"], "plant_name"))),
        ("Which of our suppliers are certified organic?",
         _alts(_col([s for s in suppliers if s["organic_certified"]], "supplier_name"))),
        ("who do we talk to at Vivai Pistoia?",
         _alts(_one(S["Vivai Pistoia"]["contact_person"]))),
        ("which supplier delivers the quickest",
         _alts(_best(_pairs(suppliers, "supplier_name", "lead_time_days"), low=True))),
        ("supplier contracts running out in the next 60 days",
         _alts(_col([s for s in suppliers if D.next_n(s["contract_until"], 60)], "supplier_name"))),
        ("which plants come from suppliers that are on pause?",
         _alts(_col([p for p in plants if S[p["supplier"]]["account_status"] == "on pause"], "plant_name"))),
        ("how many sales did we have this month?",
         _alts(_one(sum(D.this_month(s["sale_date"]) for s in sales)))),
        ("How much money did we take last week?",
         _alts(_one(tot(lw)), _one(tot([s for s in lw if s["paid"]])))),
        ("how much is still unpaid in total",
         _alts(_one(tot(unpaid)))),
        ("what's the best selling plant by number sold",
         _alts(_best(qty_by))),
        ("turnover for each salesperson",
         _alts(_group(sales, "sold_by", tot))),
        ("top 3 customers by what they spent",
         _alts(_best(_group(named, "customer_name", tot), n=3))),
        ("what do we have to deliver in the next 14 days?",
         _alts(_col([s for s in sales if D.next_n(s["delivery_date"], 14)], "receipt_no"),
               _col([s for s in sales if D.next_n(s["delivery_date"], 14)], "plant_name"))),
        ("how many hydrangas did we sell so far",
         _alts(_one(sum(s["quantity"] for s in sales if s["plant_name"] == "Panicle hydrangea")))),
        ("um, how many people paid by card versus cash versus invoice",
         _alts(_group(sales, "payment_method", len))),
        ("plants we get from dutch suppliers",
         _alts(_col(dutch, "plant_name"))),
        ("what town does our magnolia come from?",
         _alts(_one(S[P["Saucer magnolia"]["supplier"]]["town"]))),
        ("sales of evergreen plants in the last 30 days",
         _alts(_col([s for s in l30 if P[s["plant_name"]]["evergreen"]], "receipt_no"),
               _one(tot([s for s in l30 if P[s["plant_name"]]["evergreen"]])))),
        ("which plants has nobody bought yet?",
         _alts(_col([p for p in plants if p["plant_name"] not in sold], "plant_name"))),
        ("which plants need watering today?",
         "none"),
        ("how many visitors came through the door on Saturday",
         "none"),
        ("what's our profit margin on the clematis?",
         "none"),
        ("which plants are poisonous for dogs",
         "none"),
    ]
    return {"plants": plants, "suppliers": suppliers, "sales": sales}, Q


def build(today):
    out = []
    for name, f in (("machine shop", _shop), ("tree nursery and garden centre", _nursery)):
        colls, qs = f(today)
        assert len(qs) == 35 and sum(g == "none" for _, g in qs) == 4
        out.append((name, colls, qs))
    return out


SETS = build(date.today())

if __name__ == "__main__":
    for name, colls, qs in SETS:
        print("==", name, {k: len(v) for k, v in colls.items()})
        for i, (q, g) in enumerate(qs, 1):
            print(i, q, "\n     ", g)
