//! The program `entraide`: reads the command line, runs the command, and ends with 0, 1 (refused) or 2 (usage).

use std::process::ExitCode;

use clap::Parser;
use entraide::command::{Cli, run, usage};

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => usage(&error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(line) = failure.line() {
                eprintln!("entraide: {line}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
