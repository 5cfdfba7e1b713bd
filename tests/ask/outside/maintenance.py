"""A hospital's facility maintenance (snake_case)."""
import random
from collections import Counter
from datetime import date, timedelta

from tests.ask.outside.bakery import SEED, ids, one, nums, lists, groups, top, total, mean, group_sum, group_mean, periods


# ---------------------------------------------------------------- 2. hospital maintenance
def hospital(today):
    rng = random.Random(SEED + 1)
    T = timedelta
    iso = date.isoformat

    def d(off):
        return (today + T(days=off)).isoformat()

    this_mon, first, last_first, next_first, march = periods(today)

    tk = ("technician_name", "trade", "shift", "hourly_rate", "hired_on", "on_call", "certification_expires",
          "phone_extension", "home_building")
    technicians = [dict(zip(tk, r)) for r in [
        ("Samuel Osei", "electrical", "day", 34.50, "2013-02-18", True, d(210), 4101, "Main Building"),
        ("Ingrid Holm", "hvac", "day", 36.00, "2016-08-01", False, d(-25), 4102, "Main Building"),
        ("Marek Dvorak", "plumbing", "night", 31.75, "2018-11-12", True, d(45), 4107, "East Wing"),
        ("Lucia Ferrante", "medical devices", "day", 41.20, "2015-05-04", False, d(400), 4110, "Surgery Pavilion"),
        ("Ben Whitlock", "general", "night", 26.40, "2021-09-13", False, None, 4115, "Maternity"),
        ("Aisha Rahman", "electrical", "night", 33.10, "2019-03-25", True, d(-90), 4118, "East Wing"),
        ("Carl Jensen", "general", "weekend", 27.90, "2022-06-07", False, None, 4121, "Main Building"),
        ("Nora Quigley", "medical devices", "weekend", 39.80, "2023-10-02", True, d(75), 4126, "Surgery Pavilion"),
    ]]

    ak = ("asset_tag", "device_name", "category", "building", "floor", "manufacturer", "purchase_date",
          "purchase_price", "warranty_until", "condition", "is_critical")
    rows = [
        ("FM-1001", "Backup Generator A", "power", "Main Building", 0, "Cummins", "2011-06-20", 84000, "2016-06-20", "fair", True),
        ("FM-1002", "Backup Generator B", "power", "East Wing", 0, "Cummins", "2019-04-11", 97500, d(310), "good", True),
        ("FM-1003", "Passenger Lift 1", "lift", "Main Building", 0, "KONE", "2009-09-01", 61000, "2014-09-01", "poor", True),
        ("FM-1004", "Passenger Lift 2", "lift", "East Wing", 0, "Schindler", "2017-03-15", 68200, d(-160), "good", False),
        ("FM-1005", "Bed Lift", "lift", "Surgery Pavilion", 0, "KONE", "2020-10-05", 73900, d(60), "good", True),
        ("FM-1006", "MRI Chiller", "hvac", "Main Building", 1, "Carrier", "2018-01-22", 45800, d(-30), "fair", True),
        ("FM-1007", "Rooftop Air Handler", "hvac", "East Wing", 5, "Daikin", "2013-07-30", 28900, "2018-07-30", "poor", False),
        ("FM-1008", "Theatre Air Handler", "hvac", "Surgery Pavilion", 3, "Trane", "2021-02-16", 52300, d(450), "good", True),
        ("FM-1009", "Steam Boiler", "heating", "Main Building", 0, "Viessmann", "2010-11-08", 39400, None, "poor", True),
        ("FM-1010", "Hot Water Boiler", "heating", "Maternity", 0, "Bosch", "2022-08-29", 21700, d(700), "good", False),
        ("FM-1011", "Autoclave 1", "sterilisation", "Surgery Pavilion", 2, "Getinge", "2016-05-19", 33600, None, "fair", True),
        ("FM-1012", "Autoclave 2", "sterilisation", "Surgery Pavilion", 2, "Getinge", "2023-03-06", 36150, d(82), "good", True),
        ("FM-1013", "Bed Washer", "sterilisation", "East Wing", 1, "Miele", "2014-12-02", 18250, None, "out_of_service", False),
        ("FM-1014", "Nurse Call Panel", "communication", "Maternity", 2, "Ascom", "2019-06-24", 9800, d(-400), "good", True),
        ("FM-1015", "Paging Amplifier", "communication", "Main Building", 1, "Bosch", "2012-02-13", 4300, None, "fair", False),
        ("FM-1016", "Kitchen Dishwasher", "kitchen", "Main Building", 0, "Miele", "2020-01-27", 12600, d(-5), "fair", False),
        ("FM-1017", "Walk-in Freezer", "kitchen", "Main Building", 0, "Foster", "2024-02-19", 15900, d(25), "good", False),
        ("FM-1018", "Medical Gas Compressor", "medical gas", "East Wing", 0, "Atlas Copco", "2015-10-12", 47700, d(-200), "poor", True),
    ]
    devices = [dict(zip(ak, r)) for r in rows]
    aby = {a["asset_tag"]: a for a in devices}
    tby = {t["technician_name"]: t for t in technicians}

    by_cat = {"power": ["Samuel Osei", "Aisha Rahman"], "lift": ["Samuel Osei", "Aisha Rahman", "Carl Jensen"],
              "hvac": ["Ingrid Holm"], "heating": ["Marek Dvorak", "Ingrid Holm"],
              "sterilisation": ["Lucia Ferrante", "Nora Quigley"], "communication": ["Aisha Rahman", "Ben Whitlock"],
              "kitchen": ["Ben Whitlock", "Carl Jensen"], "medical gas": ["Marek Dvorak", "Nora Quigley"]}
    issues = {"power": ["fails weekly test", "battery low", "fuel leak"], "lift": ["door stuck", "stops between floors", "button panel dead"],
              "hvac": ["not cooling", "noisy fan", "filter change"], "heating": ["pressure drop", "pilot goes out", "leaking valve"],
              "sterilisation": ["door seal worn", "cycle aborts", "temperature alarm"], "communication": ["no sound", "display dark", "random alarms"],
              "kitchen": ["water leak", "does not start", "door does not close"], "medical gas": ["pressure alarm", "oil change", "unusual vibration"]}
    span = {"urgent": 2, "high": 6, "medium": 14, "low": 30}
    # two devices (the dishwasher's neighbour freezer FM-1017 and FM-1010) have never needed a job
    pool = [a["asset_tag"] for a in devices if a["asset_tag"] not in ("FM-1010", "FM-1017")] + ["FM-1003"] * 4
    wos = []

    def add(opened, tag=None, prio=None, status=None, who="pick", closed=None, hours=None, cost=None):
        tag = tag or rng.choice(pool)
        c = aby[tag]["category"]
        prio = prio or rng.choice(["low", "medium", "medium", "high", "high", "urgent"])
        r, w, iss = rng.random(), rng.choice(by_cat[c]), rng.choice(issues[c])
        h, pc, lag = rng.randint(1, 18) / 2, round(rng.choice([0, 1, 1, 1]) * rng.uniform(12, 640), 2), rng.randint(0, span[prio] + 2)
        if who == "pick":
            who = w
        if status is None:
            status = "completed" if r < 0.88 else "cancelled"
        if status == "completed" and closed is None:
            closed = opened + T(days=lag)
        due = opened + T(days=span[prio])
        if due == today:
            due += T(days=1)
        if status in ("open", "cancelled"):
            h, pc = 0.0, 0.0
        wos.append({"wo_number": 0, "asset_tag": tag, "issue": iss, "priority": prio, "status": status,
                    "assigned_to": who, "opened_on": iso(opened), "due_on": iso(due),
                    "closed_on": iso(closed) if closed else None,
                    "hours_spent": h if hours is None else hours, "parts_cost": pc if cost is None else cost})

    for _ in range(28):                                        # history, all finished or cancelled
        add(today - T(days=rng.randint(34, 420)))
    for k, (tag, prio) in zip((3, 12), (("FM-1014", "high"), ("FM-1003", "urgent"))):   # last month
        o = last_first + T(days=k)
        add(o, tag, prio, "completed", closed=o + T(days=1))
    for off, tag, prio, st, who, hrs, cost in [
        (-1, "FM-1018", "urgent", "open", None, None, None),
        (-3, "FM-1007", "urgent", "open", None, None, None),
        (0, "FM-1011", "high", "open", "Lucia Ferrante", None, None),
        (-2, "FM-1016", "medium", "open", "Ben Whitlock", None, None),
        (-4, "FM-1015", "low", "open", None, None, None),
        (-9, "FM-1004", "high", "in_progress", "Carl Jensen", 2.5, 0.0),
        (-5, "FM-1001", "urgent", "in_progress", "Aisha Rahman", 6.0, 118.4),
        (-1, "FM-1003", "urgent", "in_progress", "Samuel Osei", 1.5, 0.0),
        (-7, "FM-1006", "medium", "in_progress", "Ingrid Holm", 3.0, 75.9),
        (-24, "FM-1013", "medium", "waiting_for_parts", "Nora Quigley", 4.0, 310.0),
        (-41, "FM-1009", "low", "waiting_for_parts", "Marek Dvorak", 5.5, 1480.75),
        (-12, "FM-1003", "low", "waiting_for_parts", "Samuel Osei", 2.0, 260.0),
    ]:
        add(today + T(days=off), tag, prio, st, who, None, hrs, cost)
    add(today - T(days=3), "FM-1012", "high", "completed", "Lucia Ferrante", today, 2.0, 44.2)
    add(today - T(days=1), "FM-1005", "urgent", "completed", "Samuel Osei", today, 1.0, 0.0)
    add(this_mon - T(days=6), "FM-1008", "medium", "completed", "Ingrid Holm", this_mon - T(days=4), 3.5, 96.0)
    add(this_mon - T(days=5), "FM-1002", "low", "cancelled", "Aisha Rahman")
    wos.sort(key=lambda w: (w["opened_on"], w["asset_tag"], w["due_on"], w["issue"]))
    for i, w in enumerate(wos):
        w["wo_number"] = 30210 + i

    # ---- gold
    W, A, N = wos, devices, "wo_number"
    todo_s = ("open", "in_progress", "waiting_for_parts")
    todo = [w for w in W if w["status"] in todo_s]
    notdone = [w for w in W if w["status"] != "completed"]
    done = [w for w in W if w["status"] == "completed"]
    live = [w for w in W if w["status"] != "cancelled"]
    dev = lambda w: aby[w["asset_tag"]]

    def sel(rows, f):
        return [w for w in rows if f(w)]

    def uniq(*alts):
        out = []
        for a in alts:
            if a not in out:
                out.append(a)
        return out

    def devs(f):
        return ids([a for a in A if f(a)], "device_name", "asset_tag")

    def per_tech(rows):
        return Counter(w["assigned_to"] for w in rows if w["assigned_to"])

    def top_hours(rows, n):
        s = group_sum([w for w in rows if w["assigned_to"]], lambda w: w["assigned_to"], lambda w: w["hours_spent"])
        return [[k] for k, _ in top(list(s.items()), lambda kv: kv[1], n)]

    def most_jobs(rows):
        return [k for k, _ in top(list(Counter(w["asset_tag"] for w in rows).items()), lambda kv: kv[1])]

    def electricians(rows):
        n = {w["assigned_to"] for w in rows if w["priority"] == "urgent"}
        return [t for t in technicians if t["trade"] == "electrical" and t["technician_name"] in n]

    last_month = lambda w: iso(last_first) <= w["opened_on"] < iso(first)
    this_week = lambda w: w["closed_on"] and iso(this_mon) <= w["closed_on"] <= d(6 - today.weekday())
    last_week = lambda w: iso(this_mon - T(days=7)) <= w["opened_on"] < iso(this_mon)
    in_east = lambda w: dev(w)["building"] == "East Wing"
    is_lift = lambda w: dev(w)["category"] == "lift"
    days = [(date.fromisoformat(w["closed_on"]) - date.fromisoformat(w["opened_on"])).days for w in done]
    hrs = lambda w: w["hours_spent"]
    named = next(w for w in W if w["asset_tag"] == "FM-1009" and w["status"] == "waiting_for_parts")
    mj = uniq(most_jobs(W), most_jobs(live))
    by_tech = lambda rows: per_tech(rows)
    with_null = dict(per_tech(W))
    with_null[None] = sum(1 for w in W if not w["assigned_to"])

    Q = [
        ("how many jobs are still open", nums(len(sel(W, lambda w: w["status"] == "open")), len(todo))),
        ("urgent jobs that nobody has been put on yet",
         lists(N, sel(W, lambda w: w["priority"] == "urgent" and not w["assigned_to"]))),
        ("Overdue work orders please", lists(N, sel(todo, lambda w: w["due_on"] < iso(today)))),
        ("Who is on call?", ids([t for t in technicians if t["on_call"]], "technician_name")),
        ("which technician costs us the most per hour?", ids(top(technicians, lambda t: t["hourly_rate"]), "technician_name")),
        ("equipment in the East Wing", devs(lambda a: a["building"] == "East Wing")),
        ("Which devices are out of warranty by now?", devs(lambda a: a["warranty_until"] and a["warranty_until"] < iso(today))
         + devs(lambda a: not a["warranty_until"] or a["warranty_until"] < iso(today))),
        ("warranties that run out in the next 90 days",
         devs(lambda a: a["warranty_until"] and iso(today) <= a["warranty_until"] <= d(90))),
        ("Who made the Theatre Air Handler?", one(aby["FM-1008"]["manufacturer"])),
        ("when did we buy the MRI chiller", one(aby["FM-1006"]["purchase_date"])),
        ("stuff bought before 2013", devs(lambda a: a["purchase_date"] < "2013-01-01")),
        ("What is all the equipment worth per building, at purchase price?",
         groups(group_sum(A, lambda a: a["building"], lambda a: a["purchase_price"]))),
        ("number of work orders per technician", groups(by_tech(W), with_null)),
        ("How many work orders were raised last month?", nums(len(sel(W, last_month)))),
        ("what got finished this week?", lists(N, sel(done, this_week))
         + [[[dev(w)["device_name"]] for w in sel(done, this_week)]] + lists("asset_tag", sel(done, this_week))
         + lists("issue", sel(done, this_week))),
        ("jobs opened last week", lists(N, sel(W, last_week))),
        ("how many jobs have come in since March", nums(len(sel(W, lambda w: w["opened_on"] >= iso(march))))),
        ("Which job had the highest parts bill?", ids(top(W, lambda w: w["parts_cost"]), N)),
        ("top 3 technicians by hours worked", uniq(top_hours(W, 3), top_hours(done, 3))),
        ("Which electricians are working on something urgent right now?",
         uniq(*(ids(electricians(r), "technician_name")[0] for r in
                (todo, sel(W, lambda w: w["status"] == "in_progress"))))),
        ("lift jobs that aren't done", lists(N, sel(todo, is_lift), sel(notdone, is_lift))),
        ("How much have we spent on parts for the East Wing?", nums(total(sel(W, in_east), "parts_cost"))),
        ("is there any equipment that never needed a repair, no work order at all?",
         devs(lambda a: a["asset_tag"] not in {w["asset_tag"] for w in W})),
        ("which device breaks down the most?",
         uniq(*[[[t[0]]] for t in mj], *[[[aby[t[0]]["device_name"]]] for t in mj])),
        ("critical equipment in poor condition", devs(lambda a: a["is_critical"] and a["condition"] == "poor")),
        ("How many of our devices are not critical?", nums(sum(1 for a in A if not a["is_critical"]))),
        ("um what's Ingrid Holm's extension again", one(tby["Ingrid Holm"]["phone_extension"])),
        ("whose certificat has already expired?",
         ids([t for t in technicians if t["certification_expires"] and t["certification_expires"] < iso(today)], "technician_name")),
        ("average hours per finished job, by priority",
         groups(group_mean(done, lambda w: w["priority"], hrs))),
        ("On average, how many days does it take from opening a job to closing it?", nums(mean(days))),
        (f"Who is handling work order {named[N]}?", one(named["assigned_to"])),
        ("How much electricity does the MRI Chiller use?", "none"),
        ("who is on holiday next week", "none"),
        ("How many patients had to be moved because of a breakdown?", "none"),
        ("Which supplier is delivering the parts for the steam boiler?", "none"),
    ]
    return ("hospital_maintenance", {"devices": devices, "work_orders": wos, "technicians": technicians}, Q)


SETS = [hospital(date.today())]
