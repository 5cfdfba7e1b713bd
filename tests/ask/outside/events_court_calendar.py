import random
from collections import defaultdict
from datetime import date, timedelta

R = random.Random(333)
T = date.today()
MON = T - timedelta(days=T.weekday())                      # Monday of this week
M0 = T.replace(day=1)                                      # first of this month
M1 = (M0 + timedelta(days=32)).replace(day=1)              # first of next month
M2 = (M1 + timedelta(days=32)).replace(day=1)              # first of the month after
LM = (M0 - timedelta(days=1)).replace(day=1)               # first of last month
Q3 = M0
for _ in range(3):
    Q3 = (Q3 - timedelta(days=1)).replace(day=1)           # first of the month three months ago
MONTHS = ("January February March April May June July August September October November December").split()


def plus(n):
    return T + timedelta(days=n)


def off(d, bad=(0, 7, 14, 30, 60)):
    """Keep a date off the edges of windows such as 'next 14 days' and off today, without leaving its month's middle."""
    while (d - T).days in bad:
        d += timedelta(days=1)
    return d


def wd(d):
    """Courts sit on weekdays only."""
    return d + timedelta(days={5: 2, 6: 1}.get(d.weekday(), 0))


def D(s):
    return date.fromisoformat(s)


def between(s, a, b):
    return s is not None and a <= D(s) <= b


def alts(rows, *keys):
    """One alternative per identifying field."""
    out = []
    for k in keys:
        alt = [[r[k]] for r in rows]
        if alt not in out:
            out.append(alt)
    return out


def one(*vals):
    return [[[v] for v in vals]]


def avg(xs):
    xs = [x for x in xs if x is not None]
    return sum(xs) / len(xs)


def group(rows, key, val=None, how=len):
    g = defaultdict(list)
    for r in rows:
        g[key(r)].append(val(r) if val else r)
    return {k: how(v) for k, v in g.items()}


def top(rows, f, n=1, low=False):
    """The n best rows; refuses ties at or inside the cut."""
    s = sorted((r for r in rows if f(r) is not None), key=f, reverse=not low)
    vals = [f(r) for r in s[:n + 1]]
    assert len(set(vals)) == len(vals), vals
    return s[:n]


def uniq(*alternatives):
    """Merge lists of alternatives without repeats."""
    out = []
    for a in alternatives:
        for x in a:
            if x not in out:
                out.append(x)
    return out


# ------------------------------------------------------------------ domain 1: conference and event agency (camelCase)

_sup = [
    # supplierName, service, contactPerson, town, dayRate, rating, preferred, contractEnd, phone
    ("Mesa Larga Catering", "catering", "Rui Tavares", "Porto", 1850, 4.6, True, plus(41), "+351 220 114 870"),
    ("Sal & Pimenta", "catering", "Marta Quintela", "Porto", 1420, 4.1, False, plus(190), "+351 220 987 312"),
    ("La Despensa de Nuria", "catering", "Nuria Olmedo", "Madrid", 1690, 4.7, True, plus(310), "+34 910 552 018"),
    ("Liffey Kitchen", "catering", "Sean Gallagher", "Dublin", 2100, 3.9, False, None, "+353 1 555 0142"),
    ("Blue Cable AV", "audio-visual", "Hugo Stein", "Lisbon", 2350, 4.8, True, plus(22), "+351 210 334 900"),
    ("SonoMax", "audio-visual", "Clara Puig", "Barcelona", 1975, 4.2, True, plus(255), "+34 930 118 447"),
    ("Pixel & Beam", "audio-visual", "Declan Moore", "Dublin", 2620, 4.4, False, plus(97), "+353 1 555 0188"),
    ("Retratos Vivos", "photography", "Joana Pires", "Lisbon", 640, 4.9, True, None, "+351 210 776 051"),
    ("Foco Norte", "photography", "Diogo Antunes", "Porto", 580, 3.4, False, plus(133), "+351 220 405 566"),
    ("Luz Floristas", "flowers", "Pilar Mendoza", "Madrid", 390, 4.3, True, plus(160), "+34 910 230 771"),
    ("Jardim da Graça", "flowers", "Teresa Lobo", "Lisbon", 345, 3.7, False, None, "+351 210 559 284"),
    ("Ronda Coaches", "transport", "Iván Salas", "Barcelona", 1120, 4.0, False, plus(48), "+34 930 667 125"),
    ("Douro Shuttle", "transport", "Paulo Neves", "Porto", 895, 4.5, True, plus(402), "+351 220 313 949"),
]
suppliers = [dict(supplierName=a, service=b, contactPerson=c, town=d, dayRate=e, rating=f, preferred=g,
                  contractEnd=h.isoformat() if h else None, phone=i) for a, b, c, d, e, f, g, h, i in _sup]

_ev = [
    # code, title, city, venue, startDate, status (None: by date), budget, capacity, projectManager, caterer, hybrid
    ("EV-201", "Iberian Data Days", "Madrid", "Pabellón Norte", plus(-74), "completed", 86000, 450, "Inês Carvalho", "La Despensa de Nuria", True),
    ("EV-202", "Dental Care Congress", "Porto", "Alfândega", plus(-112), "completed", 54500, 300, "Tom Becker", "Mesa Larga Catering", False),
    ("EV-203", "Women in Logistics", "Dublin", "Dockside Rooms", plus(-151), "completed", 23800, 120, "Aoife Byrne", "Liffey Kitchen", True),
    ("EV-204", "Olive Oil Trade Fair", "Madrid", "Palacio Sur", plus(-205), "completed", 41200, 600, "Lucía Ferrer", "La Despensa de Nuria", False),
    ("EV-205", "Green Packaging Expo", "Barcelona", "Fira Pavilion 2", off(M1 + timedelta(days=11)), "confirmed", 67300, 800, "Lucía Ferrer", None, False),
    ("EV-206", "Atlantic Energy Summit", "Porto", "Super Bock Hall", plus(24), "confirmed", 118000, 700, "Inês Carvalho", "Sal & Pimenta", True),
    ("EV-207", "Nordic Fintech Forum", "Dublin", "Convention Quay", plus(66), "confirmed", 92500, 380, "Aoife Byrne", "Liffey Kitchen", True),
    ("EV-208", "Craft Brewers Meetup", "Lisbon", "LX Warehouse", plus(12), "confirmed", 12400, 90, "Tom Becker", None, False),
    ("EV-209", "Urban Mobility Week", "Lisbon", "Pavilhão Carlos Lopes", plus(93), "planned", 75800, 520, "Inês Carvalho", None, True),
    ("EV-210", "Pharma Compliance Day", "Barcelona", "Hotel Marítim", off(M0 + timedelta(days=8)), None, 31600, 150, "Tom Becker", "Mesa Larga Catering", False),
    ("EV-211", "Teachers' Winter School", "Lisbon", "Casa do Saber", off(M0 + timedelta(days=20)), None, 18900, 200, "Lucía Ferrer", "Sal & Pimenta", True),
    ("EV-212", "Luxury Travel Gala", "Madrid", "Gran Teatro", plus(51), "cancelled", 59000, 250, "Aoife Byrne", "La Despensa de Nuria", False),
    ("EV-213", "Robotics Hackathon", "Porto", "UPTEC", plus(119), "planned", 27500, 160, "Inês Carvalho", None, False),
    ("EV-214", "Wine Export Roundtable", "Porto", "Cais Novo", plus(-38), "cancelled", 15700, 60, "Tom Becker", "Mesa Larga Catering", False),
]
events = [dict(eventCode=a, title=b, city=c, venue=d, startDate=e.isoformat(),
               status=f or ("completed" if e < T else "confirmed"), budget=g, capacity=h, projectManager=i, caterer=j,
               hybrid=k) for a, b, c, d, e, f, g, h, i, j, k in _ev]

_first = ("Anna Pedro Sofie Jonas Elena Mateus Greta Liam Nora Felix Carmen Björn Olivia Tiago Hanna Marc Ruth Stefan "
          "Ines Kevin Laura Otto Silvia Patrick Maja Bruno Heidi Conor Paula Erik").split()
_last = ("Vogel Almeida Lindqvist Murphy Ribeiro Keller García Nolan Schubert Costa Jensen Prieto Hoffmann Walsh "
         "Teixeira Romero Baumann Doyle Fonseca Navarro").split()
_firms = [("Northwind Traders", "Ireland"), ("Hallmann Optik", "Germany"), ("Casa Verde", "Portugal"),
          ("Ibermotor", "Spain"), ("Svea Bank", "Sweden"), ("Banco Atlas", "Portugal"), ("Quayside Labs", "Ireland"),
          ("Rheinkraft", "Germany"), ("Textil Rubio", "Spain"), ("Lusopharma", "Portugal")]
_weights = {"Iberian Data Days": 10, "Dental Care Congress": 7, "Women in Logistics": 4, "Olive Oil Trade Fair": 6,
            "Green Packaging Expo": 5, "Atlantic Energy Summit": 12, "Nordic Fintech Forum": 8,
            "Craft Brewers Meetup": 2}
EV = {e["title"]: e for e in events}
names, attendees = set(), []


def _name():
    while True:
        n = R.choice(_first) + " " + R.choice(_last)
        if n not in names:
            names.add(n)
            return n


def attendee(ev, tick, price, reg, diet, firm, checked=False, name=None):
    if name:
        names.add(name)
    attendees.append(dict(badgeNumber=5001 + len(attendees), fullName=name or _name(), company=firm[0],
                          country=firm[1], eventTitle=ev, ticketType=tick, pricePaid=price,
                          registeredOn=reg.isoformat(), dietaryNeeds=diet, checkedIn=checked))


for ev, n in _weights.items():
    for _ in range(n):
        start = D(EV[ev]["startDate"])
        past = start < T
        latest = min(start - timedelta(days=4), plus(-20))
        reg = latest - timedelta(days=R.randint(0, 70))
        tick = R.choices(["standard", "vip", "student", "speaker"], [6, 2, 2, 1])[0]
        price = {"standard": R.choice([290.0, 345.0, 389.5]), "vip": R.choice([690.0, 745.0]),
                 "student": R.choice([79.0, 95.5]), "speaker": 0.0}[tick]
        attendee(ev, tick, price, reg, R.choices([None, "vegetarian", "vegan", "gluten-free", "halal"],
                                                 [8, 3, 2, 2, 1])[0],
                 R.choice(_firms), past and R.random() < 0.72)
attendee("Atlantic Energy Summit", "vip", 1450.0, MON - timedelta(days=6), "vegan", _firms[7], name="Katharina Weiss")
attendee("Nordic Fintech Forum", "standard", 345.0, MON - timedelta(days=4), None, _firms[0], name="Brendan Foley")
attendee("Green Packaging Expo", "student", 79.0, MON - timedelta(days=2), "vegetarian", _firms[8], name="Alba Rubio")
attendee("Atlantic Energy Summit", "standard", 389.5, MON - timedelta(days=5), None, _firms[5], name="Duarte Meneses")

SUP = {s["supplierName"]: s for s in suppliers}
paid_city = group(attendees, lambda a: EV[a["eventTitle"]]["city"], lambda a: a["pricePaid"], sum)
per_event = group(attendees, lambda a: a["eventTitle"])
soon = [e for e in events if between(e["startDate"], T, plus(30))]
this_month = [e for e in events if between(e["startDate"], M0, M1 - timedelta(days=1))]
_conf = [e for e in events if e["status"] == "confirmed"]

Q1 = [
    ("How many events do we have in Porto altogether?", one(sum(e["city"] == "Porto" for e in events))),
    ("which events use a caterer that isn't one of our preferred ones",
     alts([e for e in events if e["caterer"] and not SUP[e["caterer"]]["preferred"]], "title", "eventCode")),
    ("Who is looking after the Nordic Fintech Forum?", one(EV["Nordic Fintech Forum"]["projectManager"])),
    ("When does the Green Packaging Expo start?", one(EV["Green Packaging Expo"]["startDate"])),
    ("total budget for Lisbon events", one(sum(e["budget"] for e in events if e["city"] == "Lisbon"))),
    ("What's the average budget of the confirmed events?", one(avg([e["budget"] for e in _conf]))),
    ("events this month", uniq(alts(this_month, "title", "eventCode"),
                               alts([e for e in this_month if e["status"] != "cancelled"], "title", "eventCode"))),
    ("what have we got coming up in the next 30 days?",
     uniq(alts(soon, "title", "eventCode"),
          alts([e for e in soon if e["status"] != "cancelled"], "title", "eventCode"))),
    ("How many people signed up for each event?",
     [[[k, v] for k, v in per_event.items()],
      [[e["title"], per_event.get(e["title"], 0)] for e in events]]),
    ("VIP guests for the Atlantic Energy Summit",
     alts([a for a in attendees if a["eventTitle"] == "Atlantic Energy Summit" and a["ticketType"] == "vip"],
          "fullName", "badgeNumber")),
    ("Who never checked in at Iberian Data Days?",
     alts([a for a in attendees if a["eventTitle"] == "Iberian Data Days" and not a["checkedIn"]],
          "fullName", "badgeNumber")),
    ("how much have we taken in ticket money overall", one(sum(a["pricePaid"] for a in attendees))),
    ("Which attendee paid the most for a ticket?", alts(top(attendees, lambda a: a["pricePaid"]),
                                                        "fullName", "badgeNumber")),
    ("German attendees at the Porto events",
     alts([a for a in attendees if a["country"] == "Germany" and EV[a["eventTitle"]]["city"] == "Porto"],
          "fullName", "badgeNumber")),
    ("how many vegetarians are booked on our events in Madrid",
     one(sum(a["dietaryNeeds"] == "vegetarian" and EV[a["eventTitle"]]["city"] == "Madrid" for a in attendees))),
    ("How many guests have no dietry requirements at all?", one(sum(a["dietaryNeeds"] is None for a in attendees))),
    ("who registered last week?",
     alts([a for a in attendees if between(a["registeredOn"], MON - timedelta(days=7), MON - timedelta(days=1))],
          "fullName", "badgeNumber")),
    (f"number of registrations since {MONTHS[Q3.month - 1]}",
     one(sum(between(a["registeredOn"], Q3, T) for a in attendees))),
    ("ok so can you tell me quickly who is coming from Northwind Traders",
     uniq(alts([a for a in attendees if a["company"] == "Northwind Traders"], "fullName", "badgeNumber"),
          alts([a for a in attendees if a["company"] == "Northwind Traders"
                and D(EV[a["eventTitle"]]["startDate"]) >= T], "fullName", "badgeNumber"))),
    ("top 3 most expensive suppliers", alts(top(suppliers, lambda s: s["dayRate"], 3), "supplierName")),
    ("caterers in Porto", alts([s for s in suppliers if s["service"] == "catering" and s["town"] == "Porto"],
                               "supplierName")),
    ("suppliers with a rating above 4.5", alts([s for s in suppliers if s["rating"] > 4.5], "supplierName")),
    ("Which suppliers are not on our preferred list?", alts([s for s in suppliers if not s["preferred"]],
                                                            "supplierName")),
    ("average daily rate per kind of service",
     [[[k, v] for k, v in group(suppliers, lambda s: s["service"], lambda s: s["dayRate"], avg).items()]]),
    ("Which supplier's contract runs out within the next 60 days?",
     alts([s for s in suppliers if between(s["contractEnd"], T, plus(60))], "supplierName")),
    ("I need the phone number of Luz Floristas", one(SUP["Luz Floristas"]["phone"])),
    ("Is Blue Cable AV a preferred supplier?", [[[True]], [["yes"]], [["Yes"]]]),
    ("which events still have no caterer", alts([e for e in events if e["caterer"] is None], "title", "eventCode")),
    ("Who's our contact at the company doing the catering for the Atlantic Energy Summit?",
     one(SUP[EV["Atlantic Energy Summit"]["caterer"]]["contactPerson"])),
    ("how many attendees are there for the events Inês Carvalho manages?",
     one(sum(EV[a["eventTitle"]]["projectManager"] == "Inês Carvalho" for a in attendees))),
    ("ticket revenue by city", [[[k, v] for k, v in paid_city.items()]]),
    ("Which hotel are the speakers staying in?", "none"),
    ("What score did the audience give the Dental Care Congress in the feedback survey?", "none"),
    ("How many complaints did we receive about the food?", "none"),
    ("Which suppliers still have unpaid invoices with us?", "none"),
]

# ------------------------------------------------------------------ domain 2: law firm's court calendar (snake_case)

Y = T.year
_y0 = date(Y, 1, 1)


def this_year(frac):
    return _y0 + timedelta(days=int((T - _y0).days * frac))


_cases = [
    # title, client, area, lawyer, status, opened, closed, claim, legal_aid, office
    ("Hartley Foods v. Cromer Packaging", "Hartley Foods", "commercial", "Priya Raman", "open", date(2021, 3, 15), None, 240000, False, "Leeds"),
    ("Brandt v. Okafor", "Monika Brandt", "property", "Edward Lyle", "open", date(2022, 9, 5), None, 61500, False, "York"),
    ("Sefton Marina Lease", "Sefton Marina Ltd", "property", "Edward Lyle", "closed", date(2018, 5, 22), date(2020, 11, 3), 132000, False, "Liverpool"),
    ("Re Custody of J. Dunne", "Fiona Dunne", "family", "Grace Adeyemi", "open", plus(-260), None, None, True, "Leeds"),
    ("Patel v. Northern Rail Services", "Sanjay Patel", "employment", "Priya Raman", "settled", date(2019, 2, 11), date(2021, 6, 30), 38400, False, "Leeds"),
    ("Osborne Estate", "Helen Osborne", "family", "Grace Adeyemi", "closed", date(2017, 10, 9), date(2019, 4, 17), 87500, False, "York"),
    ("Kowalski v. Brightwell Care", "Adam Kowalski", "employment", "Martin Shaw", "open", date(2023, 1, 30), None, 27250.5, True, "Liverpool"),
    ("Tideway Shipping v. Grantham Steel", "Tideway Shipping", "commercial", "Martin Shaw", "on hold", date(2020, 7, 1), None, 515000, False, "Liverpool"),
    ("Hartley Foods Trademark", "Hartley Foods", "commercial", "Priya Raman", "open", this_year(0.3), None, 95000, False, "Leeds"),
    ("Reid v. Reid", "Caroline Reid", "family", "Grace Adeyemi", "settled", date(2022, 4, 19), this_year(0.2), 154000, False, "York"),
    ("Moss Lane Boundary", "Gerald Pike", "property", "Edward Lyle", "on hold", date(2021, 11, 24), None, 18900, True, "Leeds"),
    ("Zhang v. Aldgate Software", "Mei Zhang", "employment", "Priya Raman", "open", this_year(0.5), None, 72800, False, "Leeds"),
    ("Farrow Builders Insolvency", "Farrow Builders", "commercial", "Martin Shaw", "closed", date(2019, 8, 13), date(2022, 2, 25), 308000, False, "York"),
    ("Lambert Adoption", "Ruth Lambert", "family", "Grace Adeyemi", "open", plus(-45), None, None, True, "Liverpool"),
    ("Whitby Caravan Park Eviction", "Whitby Caravan Park", "property", "Edward Lyle", "settled", date(2023, 6, 8), this_year(0.6), 44700, False, "York"),
    ("Nwosu v. Delmont Hotels", "Chidi Nwosu", "employment", "Martin Shaw", "open", this_year(0.8), None, 16300, True, "Leeds"),
    ("Castlegate Dairy v. Orchard Foods", "Castlegate Dairy", "commercial", "Priya Raman", "on hold", date(2022, 12, 1), None, 127500, False, "York"),
    ("Penrose Right of Way", "Isabel Penrose", "property", "Edward Lyle", "open", plus(-20), None, 33600, False, "Liverpool"),
]
cases = [dict(case_number=f"C-{311 + i}", case_title=a, client_name=b, practice_area=c, lead_lawyer=d, case_status=e,
              opened_on=f.isoformat(), closed_on=g.isoformat() if g else None, claim_value=h, legal_aid=j, office=k)
         for i, (a, b, c, d, e, f, g, h, j, k) in enumerate(_cases)]
CT = {c["case_title"]: c for c in cases}
CN = {c["case_number"]: c for c in cases}
_nohearing = {"Penrose Right of Way", "Zhang v. Aldgate Software", "Moss Lane Boundary"}
_courts = {"Leeds": "Leeds County Court", "York": "York County Court", "Liverpool": "Liverpool Civil Court",
           "Manchester": "Manchester High Court"}
_judges = ["Whitcombe", "Ferreira", "Blackwood", "Sandhu"]
hearings = []


def hearing(title, d, kind, dur, remote, judge, city=None, status=None):
    c = CT[title]
    city = city or c["office"]
    hearings.append(dict(hearing_ref=f"H-{701 + len(hearings)}", case_number=c["case_number"], court=_courts[city],
                         city=city, hearing_date=d.isoformat(),
                         start_time=R.choice(["09:30", "10:00", "10:30", "11:15", "14:00"]), judge=judge,
                         hearing_type=kind, duration_hours=dur, remote=remote,
                         status=status or ("held" if d < T else "scheduled")))


def _week(n):
    d = MON + timedelta(days=n)
    return d + timedelta(days=1) if d == T else d


for i in range(24):
    c = R.choice([c for c in cases if c["case_title"] not in _nohearing
                  and D(c["opened_on"]) < date(2024, 1, 1)])
    hi = min(plus(-66), D(c["closed_on"]) - timedelta(days=2) if c["closed_on"] else plus(-66))
    lo = max(D(c["opened_on"]) + timedelta(days=20), hi - timedelta(days=500))
    if lo > hi:
        lo = hi - timedelta(days=10)
    d = wd(lo + timedelta(days=R.randint(0, (hi - lo).days)))
    hearing(c["case_title"], d, R.choices(["preliminary", "trial", "mediation", "appeal"], [5, 4, 3, 1])[0],
            R.choice([1.0, 1.5, 2.0, 3.0, 4.5, 6.0]), R.random() < 0.3, R.choice(_judges),
            R.choice([None, None, "Manchester"]), R.choices(["held", "adjourned", "vacated"], [7, 3, 1])[0])
hearing("Hartley Foods v. Cromer Packaging", _week(2), "mediation", 3.0, False, "Ferreira")
hearing("Kowalski v. Brightwell Care", _week(3), "preliminary", 1.5, True, "Sandhu")
hearing("Re Custody of J. Dunne", wd(plus(4)), "preliminary", 2.0, False, "Whitcombe")
hearing("Hartley Foods v. Cromer Packaging", wd(plus(10)), "trial", 8.5, False, "Blackwood", "Manchester")
hearing("Brandt v. Okafor", wd(plus(19)), "trial", 5.0, False, "Whitcombe")
hearing("Nwosu v. Delmont Hotels", wd(off(wd(M1 + timedelta(days=6)), (14,))), "preliminary", 1.0, True, "Ferreira")
hearing("Lambert Adoption", wd(off(wd(M1 + timedelta(days=12)), (14,))), "preliminary", 1.5, False, "Sandhu")
hearing("Hartley Foods Trademark", wd(off(wd(M1 + timedelta(days=19)), (14,))), "mediation", 4.0, True, "Ferreira")
hearing("Re Custody of J. Dunne", wd(plus(72)), "trial", 6.0, False, "Whitcombe")
hearing("Lambert Adoption", wd(plus(88)), "trial", 3.0, True, "Sandhu")
hearing("Tideway Shipping v. Grantham Steel", wd(LM + timedelta(days=7)), "preliminary", 2.0, False, "Blackwood", status="adjourned")
hearing("Castlegate Dairy v. Orchard Foods", wd(LM + timedelta(days=10)), "mediation", 3.5, True, "Sandhu")
hearing("Brandt v. Okafor", wd(LM + timedelta(days=14)), "preliminary", 1.0, False, "Whitcombe")
hearing("Kowalski v. Brightwell Care", wd(LM + timedelta(days=18)), "trial", 5.5, False, "Ferreira")

_titles = {"pleading": ["Particulars of claim", "Defence and counterclaim", "Reply to defence"],
           "witness statement": ["Statement of the claimant", "Statement of the site manager", "Second witness statement"],
           "expert report": ["Surveyor's report", "Accountant's report", "Medical report"],
           "skeleton argument": ["Skeleton for the hearing", "Trial skeleton"],
           "correspondence": ["Letter before action", "Settlement offer"]}
_staff = ["Owen Price", "Nadia Hussain", "Beth Carver", "Callum Frost"]
documents = []


def document(title, kind, due, filed, pages, conf, by=None):
    documents.append(dict(doc_number=f"D-{1001 + len(documents)}", case_number=CT[title]["case_number"],
                          doc_type=kind, doc_title=R.choice(_titles[kind]), prepared_by=by or R.choice(_staff),
                          due_date=due.isoformat(), filed_on=filed.isoformat() if filed else None, pages=pages,
                          confidential=conf))


for i in range(34):
    c = R.choice([c for c in cases if D(c["opened_on"]) < date(2024, 1, 1)])
    hi = min(plus(-66), D(c["closed_on"]) - timedelta(days=2) if c["closed_on"] else plus(-66))
    filed = hi - timedelta(days=R.randint(0, 330))
    late = R.random() < 0.15
    due = filed - timedelta(days=R.randint(1, 9)) if late else filed + timedelta(days=R.randint(1, 20))
    document(c["case_title"], R.choices(list(_titles), [5, 5, 3, 2, 3])[0], due, filed, R.randint(3, 78),
             R.random() < 0.35)
document("Hartley Foods v. Cromer Packaging", "skeleton argument", plus(5), None, 22, True, "Nadia Hussain")
document("Brandt v. Okafor", "expert report", plus(-3), None, 96, False, "Owen Price")
document("Re Custody of J. Dunne", "witness statement", plus(1), None, 17, True, "Beth Carver")
document("Nwosu v. Delmont Hotels", "pleading", plus(1), None, 31, False, "Callum Frost")
document("Kowalski v. Brightwell Care", "witness statement", plus(-11), None, 45, False, "Owen Price")
document("Zhang v. Aldgate Software", "pleading", plus(-26), None, 12, False, "Nadia Hussain")
document("Lambert Adoption", "expert report", plus(33), None, 54, True, "Beth Carver")
document("Castlegate Dairy v. Orchard Foods", "correspondence", LM + timedelta(days=9), LM + timedelta(days=5), 4, False)
document("Tideway Shipping v. Grantham Steel", "expert report", LM + timedelta(days=20), LM + timedelta(days=17), 63, True)
document("Hartley Foods Trademark", "pleading", LM + timedelta(days=21), LM + timedelta(days=23), 28, False)

CASE = lambda r: CN[r["case_number"]]
_open = [c for c in cases if c["case_status"] == "open"]
_hw = [h for h in hearings if between(h["hearing_date"], MON, MON + timedelta(days=6))]
_h14 = [h for h in hearings if between(h["hearing_date"], T, plus(14))]
_hnm = [h for h in hearings if h["remote"] and between(h["hearing_date"], M1, M2 - timedelta(days=1))]
_hlm = [h for h in hearings if between(h["hearing_date"], LM, M0 - timedelta(days=1)) and h["status"] == "held"]
_fam = [h for h in hearings if CASE(h)["practice_area"] == "family" and D(h["hearing_date"]) >= T]
_hart = sorted([h for h in hearings if CASE(h)["client_name"] == "Hartley Foods" and D(h["hearing_date"]) > T
                and h["status"] == "scheduled"], key=lambda h: h["hearing_date"])[0]
_byl = group(_open, lambda c: c["lead_lawyer"])
_bestl = top(list(_byl), lambda k: _byl[k])[0]
_hcase = {h["case_number"] for h in hearings}
DOC = {d["doc_number"]: d for d in documents}
_long = top(hearings, lambda h: h["duration_hours"])
_overdue = [d for d in documents if d["filed_on"] is None and D(d["due_date"]) < T]


def hl(rows):
    return alts(rows, "hearing_ref", "case_number", "hearing_date")


def live(rows):
    return [h for h in rows if h["status"] not in ("adjourned", "vacated")]


Q2 = [
    ("How many open cases do we have right now?", one(len(_open))),
    ("hearings this week", uniq(hl(_hw), hl(live(_hw)))),
    ("what's listed in court over the next 14 days", uniq(hl(_h14), hl(live(_h14)))),
    ("Who's leading Brandt v. Okafor?", one(CT["Brandt v. Okafor"]["lead_lawyer"])),
    ("which matters did we take on before 2020?", alts([c for c in cases if D(c["opened_on"]).year < 2020],
                                                      "case_number", "case_title", "client_name")),
    ("how much is being claimed in total in the commercial cases",
     one(sum(c["claim_value"] for c in cases if c["practice_area"] == "commercial"))),
    ("average claim per practice area",
     [[[k, v] for k, v in group(cases, lambda c: c["practice_area"], lambda c: c["claim_value"], avg).items()]]),
    ("clients on legal aid", alts([c for c in cases if c["legal_aid"]], "client_name", "case_number", "case_title")),
    ("Which lawyer has the most open cases?", [[[_bestl]]]),
    ("top 3 cases by amount claimed", alts(top(cases, lambda c: c["claim_value"], 3),
                                           "case_number", "case_title", "client_name")),
    ("what is our smallest open claim",
     uniq(alts(top(_open, lambda c: c["claim_value"], low=True), "case_number", "case_title", "claim_value",
               "client_name"))),
    ("cases that are neither closed nor settled in York",
     alts([c for c in cases if c["office"] == "York" and c["case_status"] not in ("closed", "settled")],
          "case_number", "case_title", "client_name")),
    ("When was the Sefton Marina Lease closed?", one(CT["Sefton Marina Lease"]["closed_on"])),
    ("How many new cases have come in this year?", one(sum(between(c["opened_on"], _y0, T) for c in cases))),
    ("claims over 200k", alts([c for c in cases if c["claim_value"] is not None and c["claim_value"] > 200000],
                              "case_number", "case_title", "client_name")),
    ("number of documents by practice area",
     [[[k, v] for k, v in group(documents, lambda d: CASE(d)["practice_area"]).items()]]),
    ("Which documents are overdue and still not filed?", alts(_overdue, "doc_number", "case_number")),
    ("documents due tommorow", alts([d for d in documents if D(d["due_date"]) == plus(1)],
                                    "doc_number", "case_number", "doc_title")),
    ("how many pages did we file last month in all?",
     one(sum(d["pages"] for d in documents if between(d["filed_on"], LM, M0 - timedelta(days=1))))),
    ("who prepared D-1036?", one(DOC["D-1036"]["prepared_by"])),
    ("witness statements longer than 40 pages",
     alts([d for d in documents if d["doc_type"] == "witness statement" and d["pages"] > 40], "doc_number")),
    ("which filings went in after their deadline",
     alts([d for d in documents if d["filed_on"] and d["filed_on"] > d["due_date"]], "doc_number")),
    ("How many hearings has each judge got?", [[[k, v] for k, v in group(hearings, lambda h: h["judge"]).items()]]),
    ("um, any remote hearings next month?", hl(_hnm)),
    ("Which client has the longest hearing?", [[[CASE(_long[0])["client_name"]]]]),
    ("how many hearings actually took place last month", one(len(_hlm))),
    ("What's the average length of a trial?",
     one(avg([h["duration_hours"] for h in hearings if h["hearing_type"] == "trial"]))),
    ("When's the next hearing for Hartley Foods?", one(_hart["hearing_date"])),
    ("upcoming hearings in family cases", uniq(hl(_fam), hl(live(_fam)))),
    ("cases that have never had a hearing listed", alts([c for c in cases if c["case_number"] not in _hcase],
                                                       "case_number", "case_title", "client_name")),
    ("How many confidential documents are there in Priya Raman's cases?",
     one(sum(d["confidential"] and CASE(d)["lead_lawyer"] == "Priya Raman" for d in documents))),
    ("How many hours have we billed to Tideway Shipping?", "none"),
    ("Which barrister is acting for the other side in Reid v. Reid?", "none"),
    ("what did the court fees come to this year", "none"),
    ("Which clients haven't paid their bill yet?", "none"),
]

SETS = [("event agency", {"events": events, "attendees": attendees, "suppliers": suppliers}, Q1),
        ("court calendar", {"cases": cases, "hearings": hearings, "documents": documents}, Q2)]

if __name__ == "__main__":
    for name, colls, qs in SETS:
        print("##", name, {k: (len(v), len(v[0])) for k, v in colls.items()}, len(qs))
        for q, g in qs:
            ok = g == "none" or all(a and all(row and all(x is not None and not (type(x) in (int, float) and x == 0)
                                              for x in row) for row in a) for a in g[:1])
            print("" if ok else "!! ", q, "\n     ", g if g == "none" else " | ".join(str(a) for a in g))
