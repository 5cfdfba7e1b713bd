"""Invented people: names from many places, each used once.

First names and surnames stay within one naming tradition, so that a name reads like a person's.

    >>> import random
    >>> People(random.Random(1)).name("female")  # doctest: +SKIP
    'Nomvula Dlomo'
"""

from __future__ import annotations

import random
from typing import Final, Literal, NamedTuple

Sex = Literal["female", "male"]


class Tradition(NamedTuple):
    """First names and surnames that go together, as blank-separated words."""

    female: str
    male: str
    surnames: str


TRADITIONS: Final[tuple[Tradition, ...]] = (
    Tradition(
        "Grace Hannah Ruth Evelyn Margaret Alice Joan Claire Beth Louise",
        "Thomas Peter Martin Edward Simon Walter Neil Graham Philip Leonard",
        "Ashdown Fairweather Holloway Penhale Thackray Wetherby Lockhart Birchall Cresswell Marlowe Haddow Oakley",
    ),
    Tradition(
        "Amara Chiamaka Ngozi Folake Yetunde Adaeze Ifeoma Bisi Temitope Zainab",
        "Emeka Tunde Chidi Obinna Segun Kelechi Femi Uche Ikenna Babatunde",
        "Okonjo Adeyemi Nwosu Balogun Eze Afolabi Onyeka Ogundipe Chukwu Ibekwe Olatunji Adebisi",
    ),
    Tradition(
        "Priya Ananya Meera Kavita Lakshmi Sunita Deepa Nandini Asha Rekha",
        "Arjun Rohan Vikram Sanjay Anil Karthik Suresh Manoj Nikhil Harish",
        "Raghunathan Deshmukh Iyengar Kulkarni Bhattacharya Chaudhry Warrier Saxena Gokhale Pillai Trivedi Nayak",
    ),
    Tradition(
        "Mei Xiulan Jing Lihua Yan Fang Qiong Ruolan Hui Shuzhen",
        "Wei Jianguo Bo Minghao Guang Zhiyuan Tao Haoran Yong Chenglei",
        "Zhao Huang Xie Xu Deng Feng Cao Pan Tang Shen Liang Luo",
    ),
    Tradition(
        "Carmen Lucía Elena Rosa Pilar Ximena Beatriz Marisol Inés Soledad",
        "Javier Mateo Andrés Ramón Ignacio Esteban Rafael Hugo Julián Tomás",
        "Villanueva Quintero Salcedo Montoya Arroyo Cervera Fuentes Olmedo Zamora Peralta Bustos Ledesma",
    ),
    Tradition(
        "Fatima Leila Samira Nadia Yasmin Huda Rania Salma Amina Dalia",
        "Omar Karim Youssef Tariq Hassan Ziad Bilal Nabil Samir Idris",
        "Haddad Mansour Khoury Darwish Najjar Qasim Sabbagh Rahal Farouk Zidani Barakat Jaber",
    ),
    Tradition(
        "Ingrid Astrid Sigrid Liv Karin Maja Elsa Freja Linnea Solveig",
        "Lars Erik Nils Anders Bjarne Håkon Magnus Torsten Jens Rune",
        "Lindqvist Solberg Halvorsen Nygaard Bergstrand Dahlgren Ekholm Sandvik Moberg Thorsen Vinter Östlund",
    ),
    Tradition(
        "Agnieszka Katarzyna Zofia Magdalena Irena Halina Ewa Jadwiga Danuta Lidia",
        "Łukasz Piotr Marek Tomasz Andrzej Grzegorz Janusz Wojciech Kamil Stefan",
        "Wiśnik Zielonka Baranek Kalinowicz Dudzik Wrona Jaskóła Malec Sowa Grabarz Pietrzak Lis",
    ),
    Tradition(
        "Yuki Haruka Aiko Naomi Sachiko Emi Keiko Mariko Hana Tomoko",
        "Kenji Hiroshi Takumi Daichi Satoru Kazuo Naoki Shota Ryo Isamu",
        "Moriyama Hayakawa Okubo Nishida Fukuhara Takemura Ishiguchi Sakamaki Onodera Kuroda Matsui Uehara",
    ),
    Tradition(
        "Linh Thuy Hanh Mai Ngoc Phuong Trang Kim Huong Lan",
        "Minh Duc Quang Tuan Hieu Long Nam Khoa Son Bao",
        "Nguyen Tran Pham Hoang Vo Dang Bui Duong Ngo Trinh Dinh Mac",
    ),
    Tradition(
        "Giulia Francesca Chiara Paola Silvia Lorenza Bianca Ornella Marta Teresa",
        "Lorenzo Matteo Paolo Giorgio Stefano Enzo Dario Fabio Sandro Elio",
        "Bellandi Ricciardi Fontanella Moretto Vitale Cattaneo Gallo Serafini Marchetto Tosi Brambati Landi",
    ),
    Tradition(
        "Nomvula Thandi Zanele Lindiwe Busisiwe Palesa Naledi Ayanda Khanyi Lerato",
        "Sipho Thabo Mandla Bongani Lwazi Jabulani Kagiso Themba Vusi Sizwe",
        "Dlomo Khumalo Mokoena Nkosi Mahlangu Sithole Molefe Zungu Ndaba Mthethwa Radebe Cele",
    ),
    Tradition(
        "Claudine Odile Mathilde Sylvie Hélène Brigitte Noémie Aurélie Corinne Solange",
        "Étienne Laurent Mathieu Pascal Olivier Thierry Bastien Gilles Rémi Yves",
        "Delacourt Marchand Beaulieu Fournel Charpentier Lavigne Rousselot Vasseur Guichard Pelletan Morel Tessier",
    ),
    Tradition(
        "Leilani Moana Sina Talia Mele Ana Losa Hina Vaitea Lupe",
        "Tavita Ioane Semisi Kaleo Manu Filipe Sione Tane Rangi Pita",
        "Faleolo Tuimavave Kahananui Leota Tamatea Vaipulu Matagi Ngata Fonoti Pereira Sopoaga Tautahi",
    ),
)


class People:
    """A source of names; the same `rng` gives the same people, and no name comes twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def name(self, sex: Sex | None = None) -> str:
        """A new name, as in ``"Meera Warrier"``."""
        while True:
            tradition = self._rng.choice(TRADITIONS)
            firsts = getattr(tradition, sex or self._rng.choice(("female", "male"))).split()
            name = f"{self._rng.choice(firsts)} {self._rng.choice(tradition.surnames.split())}"
            if name not in self._used:
                self._used.add(name)
                return name
