//! The time of the best sample and not the mean: whatever else the machine does only ever adds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;

/// Criterion with times as short as the best sample allows.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700))
        .sample_size(20)
        .configure_from_args()
}

/// The nanoseconds of the best sample.
pub(crate) fn measure<T>(criterion: &mut Criterion, name: &str, mut run: impl FnMut() -> T) -> f64 {
    let mut best = f64::INFINITY;
    criterion.bench_function(name, |bench| {
        bench.iter_custom(|times| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(run());
            }
            let spent = start.elapsed();
            best = best.min(spent.as_secs_f64() * 1e9 / times as f64);
            spent
        });
    });
    best
}
