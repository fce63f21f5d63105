//! What was explored of the deployed protocol, case by case; and each guard with what happens without it.

use serde::ser::{Serialize, Serializer};

use crate::answers::object::{Object, verdict};
use crate::explorer::{Limits, Verdict};
use crate::saga::map::Pair;
use crate::saga::{Case, Caught, Found, Mutant, map};

/// Every case of a suite, explored.
///
/// Written with the members `verdict`, `states` and `cases`.
pub struct Suite {
    /// Each case, and what was found.
    pub cases: Vec<(Case, Found)>,
}

impl Suite {
    /// Explores every case, and says before each which plan is explored.
    pub fn explore(cases: Vec<Case>, limits: &Limits, mut begins: impl FnMut(&str)) -> Self {
        let explore = |case: Case| {
            begins(case.plan_name);
            let found = case.explore(limits);
            (case, found)
        };
        Self { cases: cases.into_iter().map(explore).collect() }
    }

    /// Whether everything holds in every case.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.cases.iter().all(|(_, found)| found.holds())
    }

    /// How many states were explored in all.
    #[must_use]
    pub fn states(&self) -> u64 {
        self.cases.iter().map(|(_, found)| found.report.unique).sum()
    }

    /// Every property that any case claims, once, with the kind of claim.
    #[must_use]
    pub fn claims(&self) -> Vec<(&'static str, &'static str)> {
        let mut claims = Vec::new();
        for judged in self.cases.iter().flat_map(|(_, found)| &found.report.verdicts) {
            if !claims.contains(&(judged.name, judged.word)) {
                claims.push((judged.name, judged.word));
            }
        }
        claims
    }
}

impl Serialize for Suite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.put("verdict", verdict(self.holds()))?.put("states", &self.states())?;
        object.put("cases", &self.cases.iter().map(|(case, found)| Explored { case, found }).collect::<Vec<_>>())?;
        object.end()
    }
}

struct Explored<'a> {
    case: &'a Case,
    found: &'a Found,
}

#[derive(serde::Serialize)]
struct Property {
    name: &'static str,
    claim: &'static str,
    verdict: &'static str,
    run: Option<Vec<String>>,
}

impl Serialize for Explored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { case, found } = self;
        let report = &found.report;
        let properties = report.verdicts.iter().map(|judged| {
            let verdict = match &judged.verdict {
                Verdict::Holds => "holds",
                Verdict::Reached(_) => "reached",
                Verdict::Violated { .. } => "violated",
                Verdict::NeverReached => "never reached",
                Verdict::Unknown => "unknown",
            };
            Property { name: judged.name, claim: judged.word, verdict, run: found.run_against(judged.name) }
        });
        let mut object = Object::begin(serializer)?;
        object.put("plan", case.plan_name)?.put("adversary", &found.adversary().to_string())?;
        object.put("states", &report.unique)?.put("generated", &report.generated)?.put("depth", &report.depth)?;
        object.put("exhaustive", &report.is_exhaustive())?;
        object.put("bounds", &report.bounds.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        object.put("never_happened", &report.never_happened)?.put("verdict", verdict(found.holds()))?;
        object.put("properties", &properties.collect::<Vec<_>>())?;
        object.end()
    }
}

/// A guard, and where it was taken out what came of that.
///
/// Written with the members `name`, `guard`, `hazard` and `breaks`; where it was taken out also `adversary`, `verdict`, `run`
/// and `end`.
pub struct Guard<'a> {
    /// The deployed code without it.
    pub mutant: &'a Mutant,
    /// The shortest run that goes wrong then, where it was looked for.
    pub caught: Option<&'a Caught>,
}

impl Serialize for Guard<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { mutant, caught } = self;
        let mut object = Object::begin(serializer)?;
        object.put("name", mutant.name)?.put("guard", mutant.guard)?;
        object.put("hazard", mutant.hazard)?.put("breaks", mutant.breaks)?;
        if let Some(caught) = caught {
            object.put("adversary", &caught.adversary)?.put("verdict", verdict(false))?;
            object.put("run", &caught.run)?.put("end", &caught.end)?;
        }
        object.end()
    }
}

/// The map of profiles: every pair of a payment and a dispatch.
///
/// Written with the members `verdict` and `pairs`.
pub struct Profiles {
    /// Every pair, payments in the outer order.
    pub pairs: Vec<Pair>,
}

impl Profiles {
    /// No pair was found to break although no risk came true.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.pairs.iter().any(|pair| matches!(pair.verdict, map::Verdict::Broken { .. }))
    }
}

impl Serialize for Profiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.put("verdict", verdict(self.holds()))?.put("pairs", &self.pairs.iter().map(Mapped).collect::<Vec<_>>())?;
        object.end()
    }
}

struct Mapped<'a>(&'a Pair);

#[derive(serde::Serialize)]
struct AtRisk {
    name: &'static str,
    breaks: Option<&'static str>,
}

impl Serialize for Mapped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Pair { payment, dispatch, verdict } = self.0;
        let mut object = Object::begin(serializer)?;
        object.put("payment", payment)?.put("dispatch", dispatch)?;
        match verdict {
            map::Verdict::Possible { order, strategy, states } => {
                object.put("verdict", "possible")?.put("order", order.name())?;
                object.put("strategy", strategy)?.put("states", states)?;
            }
            map::Verdict::AtRisk { order, risks, states } => {
                let risks = risks.iter().map(|(risk, breaks)| AtRisk { name: risk.name(), breaks: *breaks });
                object.put("verdict", "at risk")?.put("order", order.name())?;
                object.put("risks", &risks.collect::<Vec<_>>())?.put("states", states)?;
            }
            map::Verdict::Broken { order, property } => {
                object.put("verdict", "broken")?.put("order", order.name())?.put("property", property)?;
            }
            map::Verdict::Impossible { why } => {
                object.put("verdict", "impossible")?.put("rule", why.name())?.put("why", &why.to_string())?;
            }
        }
        object.end()
    }
}
