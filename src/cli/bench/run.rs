//! A load to run, in the same form for all modes, and the plan that it results in.

use super::group::GroupSpec;
use super::run_args::RunArgs;
use super::scenario_file::{self, Gateway, Groups};
use crate::bench::plan::{Group, Hold, Plan, RunId, Scenario, Volume};
use crate::bench::rate::Rate;
use crate::bench::report::RecordedCommand;
use crate::bench::shard::{self, ShardError};
use crate::bench::thresholds::{Conditions, Thresholds};
use crate::cli::Error;
use crate::cli::UsageError;
use crate::cli::bench_report::{SearchArgs, Searchable};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

/// The duration of each run of a search, and its warm-up.
const SEARCH_DURATION: Duration = Duration::from_secs(5);
const SEARCH_WARM_UP: Duration = Duration::from_secs(1);

/// The first messages per second of a search.
const FIRST_RATE: f64 = 1000.0;

/// A load to run, and its options.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(super) load: Load,
    /// Whether the sessions of subscribers outlive their connections.
    pub(super) keep_sessions: bool,
    /// Whether clients stay connected after their work.
    pub(super) hold: Option<Hold>,
    /// The seed of random choices.
    pub(super) seed: Option<u32>,
    pub(crate) search: Option<Search>,
    pub(crate) args: RunArgs,
    /// The options for the report.
    pub(super) recorded: Option<RecordedCommand>,
}

/// The groups of clients.
#[derive(Debug, Clone)]
pub(super) enum Load {
    Group(Box<GroupSpec>),
    File(ScenarioFile),
}

/// A scenario file. Its text is read once, or taken from the report of an earlier run.
#[derive(Debug, Clone)]
pub(super) struct ScenarioFile {
    pub(super) path: PathBuf,
    text: Arc<OnceLock<String>>,
}

impl ScenarioFile {
    pub(super) fn new(path: PathBuf) -> ScenarioFile {
        ScenarioFile { path, text: Arc::default() }
    }

    /// The text.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn text(&self) -> Result<&str, Error> {
        if let Some(text) = self.text.get() {
            return Ok(text);
        }
        let text = scenario_file::text(&self.path)?;
        Ok(self.text.get_or_init(|| text))
    }
}

/// A search for the highest sustained rate.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    /// The conditions in which a rate fails.
    pub(crate) until: Thresholds,
}

impl Search {
    pub(super) fn of(args: SearchArgs) -> Option<Search> {
        let SearchArgs { search, until } = args;
        search.map(|Searchable::Rate| Search { until: until.unwrap_or_default() })
    }
}

impl Run {
    /// One group of clients.
    pub(super) fn of_group(spec: GroupSpec, args: RunArgs) -> Run {
        Run {
            load: Load::Group(Box::new(spec)),
            keep_sessions: false,
            hold: None,
            seed: None,
            search: None,
            args,
            recorded: None,
        }
    }

    /// Checks the options against each other, and makes a plan of them.
    ///
    /// # Errors
    /// If options conflict, or a file is invalid.
    pub(crate) fn plan(&self, run: RunId) -> Result<Plan, Error> {
        self.plan_and_conditions(run).map(|(plan, _)| plan)
    }

    /// As [`Run::plan`], with the conditions of the scenario file. An option replaces the key of the whole run; the keys of groups
    /// have no option.
    ///
    /// # Errors
    /// As [`Run::plan`].
    pub(crate) fn plan_and_conditions(&self, run: RunId) -> Result<(Plan, Conditions), Error> {
        self.args.check_service()?;
        self.args.check_start()?;
        self.args.check_gateway()?;
        self.check_search()?;
        let Groups { mut groups, duration, warm_up, hold, of_run, of_groups } = self.groups(run)?;
        let hold = self.hold.or(hold);
        if hold.is_some() && self.args.repeat.is_some() {
            return Err(Error::usage("keep_connected in the file is for one run; leave --repeat out"));
        }
        if let Some(shard) = self.args.shard {
            shard::cut(&mut groups, shard).map_err(shard_error)?;
        }
        if let Some(seed) = self.seed {
            groups.iter_mut().for_each(|group| group.set_seed(seed.into()));
        }
        if self.args.serve.is_some() && groups.len() > 1 {
            groups.iter_mut().for_each(|group| group.is_watched = true);
        }
        Plan::number_through(&mut groups);
        let volume = match duration {
            Some(duration) => Volume::Duration(duration),
            None => Volume::Messages(groups.iter().filter_map(|group| group.messages).sum()),
        };
        let clients = groups.iter().map(Group::clients).fold(0, u32::saturating_add);
        let mut plan = Plan {
            scenario: self.scenario(),
            broker: self.broker(clients, &groups)?,
            run,
            seed: self.seed.unwrap_or(run.0),
            groups,
            volume,
            warm_up,
            connect_rate: self.args.part_of_connect_rate()?,
            threads: 1,
            processes: 1,
            start_at: self.args.start_at,
            timeout: self.args.progress_timeout()?,
            hold,
        };
        self.args.check_forwarders(&plan)?;
        self.args.check_datagrams(&plan)?;
        plan.threads = self.args.thread_count(plan.broker.forwarders.unwrap_or(plan.clients()));
        self.args.check_identities(&plan)?;
        self.args.check_rules(&plan)?;
        Ok((plan, self.args.in_force(of_run, of_groups)))
    }

    /// The first messages per second of a search.
    pub(crate) fn first_rate(&self) -> f64 {
        match &self.load {
            Load::Group(spec) => spec.rate.map_or(FIRST_RATE, Rate::as_per_second),
            Load::File(_) => FIRST_RATE,
        }
    }

    /// A plan at another rate, for a short run unless the user set a duration.
    ///
    /// # Errors
    /// As [`Run::plan`].
    pub(crate) fn plan_at(&self, rate: f64, run: RunId) -> Result<Plan, Error> {
        let mut step = self.clone();
        if let Load::Group(spec) = &mut step.load {
            spec.rate = Rate::per_second(rate);
            spec.duration.get_or_insert(SEARCH_DURATION);
            spec.warm_up.get_or_insert(SEARCH_WARM_UP);
        }
        step.plan(run)
    }

    pub(crate) fn scenario(&self) -> Scenario {
        match &self.load {
            Load::Group(spec) => spec.mode.scenario(),
            Load::File(_) => Scenario::Mix,
        }
    }

    fn groups(&self, run: RunId) -> Result<Groups, Error> {
        let gateway = Gateway { is_sn: self.args.is_sn()?, is_embedded: self.args.embedded };
        match &self.load {
            Load::File(file) => scenario_file::parse(&file.path, file.text()?, run, gateway),
            Load::Group(spec) => {
                let spec = GroupSpec { is_sn: gateway.is_sn, ..(**spec).clone() };
                spec.check_sn(gateway.is_embedded)?;
                let duration = spec.time_limit();
                let groups = vec![spec.group(run, duration)?];
                let (of_run, of_groups) = Default::default();
                let warm_up = spec.warm_up();
                Ok(Groups { groups, duration, warm_up, hold: None, of_run, of_groups })
            }
        }
    }

    /// The text of the scenario file, once it was read.
    pub(super) fn scenario_text(&self) -> Option<&str> {
        match &self.load {
            Load::File(file) => file.text.get().map(String::as_str),
            Load::Group(_) => None,
        }
    }

    /// Takes the text of the scenario from the report of an earlier run, unless a file was typed.
    pub(super) fn take_scenario(&mut self, text: Option<&str>) {
        if let (Load::File(file), Some(text)) = (&self.load, text)
            && Some(&file.path) == self.args.repeat_of.as_ref()
        {
            file.text.get_or_init(|| text.to_owned());
        }
    }

    /// A search tries its rates on one machine.
    fn check_search(&self) -> Result<(), Error> {
        if self.search.is_some() && self.hold.is_some() {
            return Err(Error::usage("--keep-connected is for one run; leave --search out"));
        }
        if self.search.is_some() && (self.args.shard.is_some() || self.args.start_at.is_some()) {
            let text = "--search rate is for one machine: with --shard and --start-at, each machine would try different rates";
            return Err(Error::usage(text.to_owned()));
        }
        Ok(())
    }
}

fn shard_error(error: ShardError) -> Error {
    match error {
        ShardError::TooFew { .. } => Error::usage(UsageError::invalid("--shard", error)),
        ShardError::SameTopics => {
            Error::usage(format!("--shard: {error}; add {{run}} or {{s}} to the topics"))
        }
    }
}

impl RunArgs {
    /// The conditions of a scenario file that no option replaces.
    fn in_force(&self, of_run: Conditions, of_groups: Conditions) -> Conditions {
        let fail_if = Some(of_run.fail_if).filter(|_| self.report.fail_if.is_none());
        let abort_if = Some(of_run.abort_if).filter(|_| self.abort_if.is_none());
        Conditions {
            fail_if: fail_if.into_iter().chain([of_groups.fail_if]).collect(),
            abort_if: abort_if.into_iter().chain([of_groups.abort_if]).collect(),
        }
    }

    /// Every thread has at least one client, or one forwarder.
    fn thread_count(&self, clients: u32) -> usize {
        let wanted = match self.threads {
            Some(threads) => threads.into(),
            None => available_parallelism().map_or(1, usize::from),
        };
        wanted.min(clients as usize).max(1)
    }
}
