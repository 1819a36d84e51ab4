"""What rliable and scipy say of the score matrices of `rliable.rs`: JSON in, JSON out.

Scores come as a list of games, each a list of runs. For each end of an interval two numbers come
back, an outer and an inner one: the ends of two slightly larger and smaller intervals of rliable,
between which the end of a correct 95 % interval must lie. How much larger is the test's decision.
"""

import json
import sys

import numpy as np
import scipy.stats
from rliable import library, metrics

AGGREGATES = {
    "median": metrics.aggregate_median,
    "iqm": metrics.aggregate_iqm,
    "mean": metrics.aggregate_mean,
    "optimality_gap": metrics.aggregate_optimality_gap,
}


def matrix(games):
    return np.array(games, dtype=np.float64).T


def ends(estimate, tail, slack):
    """[low outer, low inner, high inner, high outer] of each number that `estimate` makes."""
    found = []
    for share in (tail - slack, tail + slack):
        np.random.seed(1)
        found.append(estimate(1 - 2 * share))
    outer, inner = found
    return np.stack([outer[0], inner[0], inner[1], outer[1]], axis=-1).tolist()


def aggregates(job, tail, slack, reps):
    scores = matrix(job["scores"])

    def all_of_them(sample):
        return np.array([function(sample) for function in AGGREGATES.values()])

    def estimate(size):
        _, interval = library.get_interval_estimates(
            {"x": scores}, all_of_them, reps=reps, confidence_interval_size=size
        )
        return interval["x"]

    values = dict(zip(AGGREGATES, all_of_them(scores).tolist()))
    intervals = ends(estimate, tail, slack) if job["intervals"] else []
    return {"values": values, "intervals": dict(zip(AGGREGATES, intervals))}


def profile(job, tail, slack, reps):
    scores, taus = {"x": matrix(job["scores"])}, np.array(job["thresholds"])

    def estimate(size):
        _, bands = library.create_performance_profile(
            scores, taus, reps=reps, confidence_interval_size=size
        )
        return bands["x"]

    shares = library.score_distributions(scores["x"], taus)
    return {"shares": shares.tolist(), "band": ends(estimate, tail, slack)}


def improvement(job, tail, slack, reps):
    pair = [matrix(job["x"]), matrix(job["y"])]

    def function(x, y):
        return np.array([metrics.probability_of_improvement(x, y)])

    def estimate(size):
        _, interval = library.get_interval_estimates(
            {"pair": pair}, function, reps=reps, confidence_interval_size=size
        )
        return interval["pair"]

    intervals = ends(estimate, tail, slack)[0] if job["intervals"] else []
    return {"value": function(*pair)[0], "interval": intervals}


def wilcoxon(differences):
    found = scipy.stats.wilcoxon(differences)
    return {"statistic": float(found.statistic), "p": float(found.pvalue)}


def main():
    work = json.load(sys.stdin)
    tail = work["tail"]

    def each(name, function):
        jobs = work[name]
        return [function(job, tail, jobs["slack"], jobs["reps"]) for job in jobs["jobs"]]

    answer = {
        "aggregates": each("aggregates", aggregates),
        "profiles": each("profiles", profile),
        "improvements": each("improvements", improvement),
        "wilcoxon": [wilcoxon(differences) for differences in work["wilcoxon"]],
    }
    json.dump(answer, sys.stdout)


main()
