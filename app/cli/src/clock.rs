//! `changbai time check`: how far this machine's clock may be off, judged as its node judges it.

use changbai_node::{Config, ConfigError, config::TimeSource};
use changbai_time::{ChronyClient, OsClock, RawClock, Standing, Tracking, evaluate};
use serde_json::{Value, json};
use smkit::OsRandom;

use crate::{
    args,
    error::CliError,
    lang::Lang,
    messages::{Message, text, word},
    output::{self, Table},
    refusal,
    run::{Context, EXIT_FAILED, EXIT_OK, EXIT_UNCHECKED},
    time_stamp, up,
};

/// Asks chronyd once, by the settings of the node in `--dir` or the usual ones. 0: acceptable, 1: refused, 2: nobody
/// could be asked. With an authority's address, a token of it is fetched and verified as well.
pub(crate) fn check(args: &args::TimeCheck, context: &Context) -> Result<u8, CliError> {
    let start_error = |error: ConfigError| refusal::of_start(error.into(), &context.dir);
    let mut settings = up::with_environment(Config::below(&context.dir));
    if let Some(address) = &args.chrony {
        settings.environment.push(("CHANGBAI__TIME__CHRONY".to_owned(), address.clone()));
    }
    let settings = settings.load().map_err(start_error)?.settings.time;
    let chronyd = settings.chronyd().map_err(start_error)?;
    let clock = OsClock::start();
    let answer = ChronyClient::new(chronyd.address.clone()).ask(&clock, &mut OsRandom);
    let (tracking, standing) = match answer {
        Ok(tracking) => (Some(tracking), evaluate(&tracking, &chronyd.policy, clock.read().wall)),
        Err(refusal) => (None, Standing::Refused(refusal)),
    };
    let found = Found {
        chrony: chronyd.address.to_string(),
        source: settings.source,
        bound_us_max: chronyd.policy.bound_us_max,
        age_s: tracking.map(|tracking| tracking.reference_age_s(clock.read().wall)),
        tracking,
        standing,
    };
    let (own, bound_us) = (found.exit_code(), found.standing.bound_us());
    let Some(url) = &args.tsa else {
        if args.json {
            output::json(&found.json())?;
        } else {
            output::line(&found.render(context.lang))?;
        }
        return Ok(own);
    };
    let token = time_stamp::check(url, &args.tsa_trust, bound_us, context)?;
    if args.json {
        let mut both = found.json();
        if let Some(object) = both.as_object_mut() {
            object.insert("tsa".to_owned(), token.json());
        }
        output::json(&both)?;
    } else {
        let (own, other) = (found.render(context.lang), token.render(context.lang));
        output::line(&format!("{own}\n\n{other}"))?;
    }
    // What is refused weighs more than what could not be checked.
    let codes = [own, token.exit_code()];
    let worst = [EXIT_FAILED, EXIT_UNCHECKED].into_iter().find(|code| codes.contains(code));
    Ok(worst.unwrap_or(EXIT_OK))
}

struct Found {
    chrony: String,
    source: TimeSource,
    bound_us_max: u32,
    tracking: Option<Tracking>,
    age_s: Option<u64>,
    standing: Standing,
}

impl Found {
    fn exit_code(&self) -> u8 {
        match &self.standing {
            Standing::Synchronised { .. } => EXIT_OK,
            Standing::Refused(refusal) if refusal.is_unchecked() => EXIT_UNCHECKED,
            Standing::Refused(_) => EXIT_FAILED,
        }
    }

    fn source(&self) -> &'static str {
        match self.source {
            TimeSource::Chrony => "chrony",
            _ => "local",
        }
    }

    fn json(&self) -> Value {
        let refusal = self.standing.refusal();
        let tracking = self.tracking.map(|tracking| {
            json!({
                "reference": tracking.reference(),
                "stratum": tracking.stratum,
                "leap": tracking.leap().word(),
                "reference_age_s": self.age_s,
                "clock_bound_us": tracking.clock_bound_us(),
                "system_offset_s": tracking.system_offset.value(),
                "last_offset_s": tracking.last_offset.value(),
                "root_dispersion_s": tracking.root_dispersion.value(),
                "root_delay_s": tracking.root_delay.value(),
            })
        });
        json!({
            "acceptable": refusal.is_none(),
            "checked": refusal.is_none_or(|refusal| !refusal.is_unchecked()),
            "bound_us": self.tracking.map(|tracking| tracking.reading_bound_us()),
            "bound_us_max": self.bound_us_max,
            "code": refusal.map(|refusal| refusal.reason().code),
            "reason_zh": refusal.map(changbai_time::Refusal::zh),
            "reason_en": refusal.map(changbai_time::Refusal::en),
            "chrony": self.chrony,
            "node_source": self.source(),
            "tracking": tracking,
        })
    }

    fn render(&self, lang: Lang) -> String {
        let mut table = Table::default();
        let verdict = match &self.standing {
            Standing::Synchronised { .. } => word(lang, Message::TimeAcceptable).to_owned(),
            Standing::Refused(refusal) => {
                let reason = if lang == Lang::Zh { refusal.zh() } else { refusal.en() };
                let values = [("code", refusal.reason().code), ("reason", &reason)];
                text(lang, Message::TimeRefused, &values)
            }
        };
        table.row([word(lang, Message::TimeStanding).to_owned(), verdict]);
        if let Some(tracking) = self.tracking {
            self.facts(&mut table, &tracking, lang);
        }
        table.row([word(lang, Message::TimeChrony), self.chrony.as_str()]);
        let source = match self.source {
            TimeSource::Chrony => Message::TimeNodeChrony,
            _ => Message::TimeNodeLocal,
        };
        table.row([word(lang, Message::TimeNode), word(lang, source)]);
        table.render()
    }

    fn facts(&self, table: &mut Table, tracking: &Tracking, lang: Lang) {
        let us = |value: f64| format!("{:+.3} us", value * 1e6);
        let bound = format!("{} us (<= {} us)", tracking.reading_bound_us(), self.bound_us_max);
        table.row([word(lang, Message::TimeBound), &bound]);
        let age = format!("{} s", self.age_s.unwrap_or_default());
        table.row([word(lang, Message::TimeReference), &output::clean(&tracking.reference())]);
        table.row([word(lang, Message::TimeStratum), &tracking.stratum.to_string()]);
        table.row([word(lang, Message::TimeLeap), tracking.leap().word()]);
        table.row([word(lang, Message::TimeMeasured), &age]);
        for (name, value) in [
            (Message::TimeOffset, tracking.system_offset),
            (Message::TimeDispersion, tracking.root_dispersion),
            (Message::TimeDelay, tracking.root_delay),
        ] {
            table.row([word(lang, name), &us(value.value())]);
        }
    }
}
