import Observability

/// Every metric of the service: its name, labels, meaning and buckets. Names and units follow Prometheus' naming rules.
///
/// A sum of numbers that may be negative is not a counter. It is kept in two series: one adds the sums of batches with
/// a positive sum, the other the magnitudes of the negative sums. Their difference divided by the tokens is the exact
/// mean over any window, however the micro-batches were cut.
enum Metrics {
    // Requests.
    static let requests = MetricFamily(
        "perception_http_requests_total", .counter, labels: ["method", "route", "status"],
        help: "Finished requests; status 0 when no answer was begun, route none when no route took it.")
    static let duration = MetricFamily(
        "perception_http_request_duration_seconds", .histogram(buckets: requestBuckets),
        labels: ["route", "status"], help: "From the complete head to the last byte of the answer.")
    static let phase = MetricFamily(
        "perception_phase_duration_seconds", .histogram(buckets: phaseBuckets), labels: ["route", "phase"],
        help: "Time in each phase: receive (the body), queue (for a worker), decode, compute, encode.")
    static let bytesIn = MetricFamily(
        "perception_http_request_body_bytes_total", .counter, labels: ["route"], help: "Body bytes received.")
    static let bytesOut = MetricFamily(
        "perception_http_response_body_bytes_total", .counter, labels: ["route"], help: "Body bytes sent.")
    static let endings = MetricFamily(
        "perception_http_endings_total", .counter, labels: ["ending"],
        help: "How requests ended: completed, client-gone, timeout, crowded-out, abandoned.")
    static let problems = MetricFamily(
        "perception_problems_total", .counter, labels: ["type"],
        help: "Answers that report a problem, by its type.")

    // Load and its limits.
    static let ready = MetricFamily(
        "perception_ready", .gauge,
        help: "1 while the server takes work, 0 while it drains or a queue is full.")
    static let inFlight = MetricFamily(
        "perception_http_requests_in_flight", .gauge, help: "Requests whose answer is not complete.")
    static let connections = MetricFamily("perception_http_connections", .gauge, help: "Open connections.")
    static let mostConnections = MetricFamily(
        "perception_http_connections_limit", .gauge, help: "Connections above this are answered with 503.")
    static let busyWorkers = MetricFamily(
        "perception_workers_busy", .gauge, help: "Heavy requests on a worker.")
    static let workers = MetricFamily(
        "perception_workers", .gauge, help: "Heavy requests worked on at once at most.")
    static let queued = MetricFamily(
        "perception_worker_queue_length", .gauge, help: "Heavy requests waiting for a worker.")
    static let mostQueued = MetricFamily(
        "perception_worker_queue_limit", .gauge,
        help: "Heavy requests that may wait; more are answered with 503.")
    static let memory = MetricFamily(
        "perception_memory_budget_used_bytes", .gauge, help: "Memory claimed by requests in flight.")
    static let memoryBudget = MetricFamily(
        "perception_memory_budget_bytes", .gauge, help: "Memory that requests in flight may claim.")

    static let slowReaders = MetricFamily(
        "perception_slow_readers", .gauge, help: "Clients that read their answer slowly.")
    static let slowReaderMemory = MetricFamily(
        "perception_slow_reader_bytes", .gauge,
        help: "Memory claimed by the answers of clients that read slowly.")
    static let slowReaderLimit = MetricFamily(
        "perception_slow_reader_limit_bytes", .gauge,
        help: "What those answers may hold together; beyond it the slowest are cut off.")

    // Work done.
    static let positions = MetricFamily(
        "perception_token_positions_total", .counter, labels: ["route"],
        help: "Token positions of answered batches, padding included.")
    static let images = MetricFamily("perception_images_total", .counter, help: "Images decoded.")
    static let views = MetricFamily("perception_image_views_total", .counter, help: "Perturbed views made.")

    // Training signals, from /v1/score and /v1/mask.
    static let responseTokens = MetricFamily(
        "perception_response_tokens_total", .counter, labels: signalLabels,
        help: "Response tokens of scored batches.")
    static let candidateTokens = MetricFamily(
        "perception_candidate_tokens_total", .counter, labels: signalLabels,
        help: "Response tokens whose entropy rose enough to be candidates.")
    static let selectedTokens = MetricFamily(
        "perception_selected_tokens_total", .counter, labels: signalLabels,
        help: "Candidates selected as perception tokens.")
    static let gatedTokens = MetricFamily(
        "perception_gated_tokens_total", .counter, labels: signalLabels,
        help: "Perception tokens whose advantage passed the gate.")
    static let comparedTokens = MetricFamily(
        "perception_compared_tokens_total", .counter, labels: signalLabels,
        help: "Response tokens whose entropies were compared: the denominator of mean delta entropy.")
    static let deltaEntropy = MetricFamily(
        "perception_delta_entropy_nats_total", .counter, labels: signedLabels,
        help: "Sum of H_removing - H_original over compared tokens, batches with a negative sum apart.")
    static let lossTokens = MetricFamily(
        "perception_loss_tokens_total", .counter, labels: signalLabels,
        help: "Tokens that carried loss: the denominator of mean contrast and clamp saturation.")
    static let contrast = MetricFamily(
        "perception_contrast_nats_total", .counter, labels: signedLabels,
        help:
            "Sum over tokens that carried loss of their weighted divergences, batches with a negative sum apart."
    )
    static let clampedTokens = MetricFamily(
        "perception_clamped_tokens_total", .counter, labels: signalLabels,
        help: "Tokens that carried loss and on which a clamp acted.")
    static let lossNumerator = MetricFamily(
        "perception_loss_numerator_total", .counter, labels: signedLabels,
        help: "Sum of loss numerators, batches with a negative one apart.")
    static let lossDenominator = MetricFamily(
        "perception_loss_denominator_total", .counter, labels: signalLabels,
        help: "Sum of loss denominators.")

    static let losses = MetricFamily(
        "perception_losses_total", .counter, labels: signalLabels, help: "Batches that were scored.")
    static let cappedLosses = MetricFamily(
        "perception_capped_losses_total", .counter, labels: signalLabels,
        help: "Scored batches whose loss was held by loss_cap, and so had no gradient.")
    static let objective = MetricFamily(
        "perception_objective_total", .counter, labels: signedLabels,
        help: "Sum of objectives, batches with a negative one apart.")
    static let policyLossNumerator = MetricFamily(
        "perception_policy_loss_numerator_total", .counter, labels: signedLabels,
        help: "Sum of policy losses' numerators, batches with a negative one apart.")
    static let policyLossDenominator = MetricFamily(
        "perception_policy_loss_denominator_total", .counter, labels: signalLabels,
        help: "Sum of policy losses' denominators.")
    static let policyTokens = MetricFamily(
        "perception_policy_tokens_total", .counter, labels: signalLabels,
        help: "Response tokens that had a policy loss: the denominator of the clip fraction.")
    static let clippedRatios = MetricFamily(
        "perception_policy_clipped_tokens_total", .counter, labels: signalLabels,
        help: "Response tokens whose clipped branch was the larger.")
    static let klNumerator = MetricFamily(
        "perception_kl_numerator_total", .counter, labels: signedLabels,
        help:
            "Sum of numerators of the divergence from the reference policy, batches with a negative one apart."
    )
    static let klDenominator = MetricFamily(
        "perception_kl_denominator_total", .counter, labels: signalLabels,
        help: "Sum of denominators of the divergence from the reference policy.")
    static let rewardGroups = MetricFamily(
        "perception_reward_groups_total", .counter, labels: signalLabels,
        help: "Groups of rewards that advantages were computed from.")
    static let groupsWithoutSpread = MetricFamily(
        "perception_reward_groups_without_spread_total", .counter, labels: signalLabels,
        help: "Groups of one reward, or of equal ones: they teach nothing.")
    static let negativeEntropies = MetricFamily(
        "perception_negative_entropies_total", .counter, labels: signalLabels,
        help: "Entropies that rounding put below 0, counted as 0.")
    static let positiveLogProbabilities = MetricFamily(
        "perception_positive_log_probs_total", .counter, labels: signalLabels,
        help: "Log-probabilities that rounding put above 0.")

    // Batches kept for /live. All are 0 without --keep-recent.
    static let recentBatches = MetricFamily(
        "perception_recent_batches", .gauge, help: "Scored batches kept for viewers.")
    static let recentBytes = MetricFamily(
        "perception_recent_bytes", .gauge, help: "Memory that kept batches and their history take.")
    static let recentBytesLimit = MetricFamily(
        "perception_recent_limit_bytes", .gauge, help: "Memory set aside for them at start.")
    static let keptBatches = MetricFamily(
        "perception_recent_kept_total", .counter, help: "Scored batches that were kept.")
    static let batchesTooLarge = MetricFamily(
        "perception_recent_too_large_total", .counter,
        help: "Scored batches that were not kept, as one alone would not fit.")
    static let viewers = MetricFamily(
        "perception_live_viewers", .gauge, help: "Clients that are sent events of /v1/live/events.")
    static let viewersLimit = MetricFamily(
        "perception_live_viewers_limit", .gauge, help: "More are answered with 503.")

    static let build = MetricFamily(
        "perception_build_info", .gauge, labels: ["version", "instruction_set"], help: "Always 1.")

    static let all =
        [
            requests, duration, phase, bytesIn, bytesOut, endings, problems, ready, inFlight, connections,
            mostConnections, busyWorkers, workers, queued, mostQueued, memory, memoryBudget, slowReaders,
            slowReaderMemory, slowReaderLimit, positions,
            images,
            views, responseTokens, candidateTokens, selectedTokens, gatedTokens, comparedTokens, deltaEntropy,
            lossTokens, contrast, clampedTokens, lossNumerator, lossDenominator, losses, cappedLosses,
            objective,
            policyLossNumerator, policyLossDenominator, policyTokens, clippedRatios, klNumerator,
            klDenominator, rewardGroups, groupsWithoutSpread, negativeEntropies, positiveLogProbabilities,
            recentBatches, recentBytes, recentBytesLimit, keptBatches, batchesTooLarge, viewers, viewersLimit,
            build,
        ] + ProcessMetrics.families

    private static let signalLabels = ["preset", "run"]
    private static let signedLabels = signalLabels + ["sign"]

    /// OpenTelemetry's advice for http.server.request.duration (semantic conventions for HTTP metrics).
    private static let requestBuckets = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]
    /// Compact requests compute for less than a millisecond, uploads of gigabytes take seconds.
    private static let phaseBuckets = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
}
