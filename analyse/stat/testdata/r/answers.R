# Answers of R to series and tables that no package ships: run as
#   Rscript answers.R > answers.csv
# R 4.2.2 with surveillance 1.20.3, forecast 8.20, survey 4.1-1 and quadprog 1.5-8 (Debian 12).
# Each line is: set, what, values. NA is "no answer".
suppressMessages({library(surveillance); library(forecast); library(survey); library(quadprog)})
options(warn = -1)
`%||%` <- function(a, b) if (is.null(a)) b else a
put <- function(set, what, v) cat(set, ",", what, ",", paste(sprintf("%.10g", as.numeric(v)), collapse = " "), "\n", sep = "")

weeks <- 364
series <- list(
  usual = function(t) rnbinom(weeks, mu = 5 * exp(0.4 * sin(2 * pi * t / 52) + 0.001 * t), size = 4) + ifelse(t %in% 330:334, 12, 0),
  many  = function(t) rnbinom(weeks, mu = 300 * exp(0.3 * cos(2 * pi * t / 52) + 0.0015 * t), size = 60) + ifelse(t %in% 320:323, 250, 0),
  few   = function(t) rpois(weeks, 0.7 * exp(0.5 * sin(2 * pi * t / 52))),
  calm  = function(t) rpois(weeks, 40))
for (s in names(series)) {
  set.seed(20261128 + match(s, names(series)))
  y <- series[[s]](1:weeks)
  put(s, "y", y)
  x <- sts(observed = y, frequency = 52, start = c(2015, 1))
  for (m in c("C1", "C2", "C3")) {
    r <- earsC(x, control = list(range = (weeks - 103):weeks, method = m, alpha = 0.001))
    put(s, paste0(m, " upper"), upperbound(r)); put(s, paste0(m, " alarm"), alarms(r))
  }
  d <- sts2disProg(x)
  r <- algo.cusum(d, control = list(range = 209:weeks, k = 1.04, h = 2.26, m = NULL, trans = "standard"))
  put(s, "cusum", r$control$cusum %||% r$cusum); put(s, "cusum alarm", r$alarm)
  set <- list(range = (weeks - 51):weeks, noPeriods = 1, b = 4, w = 3, weightsThreshold = 1, pastWeeksNotIncluded = 3,
    pThresholdTrend = 0.05, thresholdMethod = "delta", alpha = 0.05, limit54 = c(0, 50))
  r <- farringtonFlexible(x, control = set)
  put(s, "farrington upper", upperbound(r)); put(s, "farrington alarm", alarms(r))
  for (m in c("nbPlugin", "muan", "delta")) {
    set <- list(range = (weeks - 51):weeks, noPeriods = 10, b = 5, w = 3, weightsThreshold = 2.58, pastWeeksNotIncluded = 26,
      pThresholdTrend = 1, thresholdMethod = m, alpha = 0.01, limit54 = c(0, 50))
    r <- farringtonFlexible(x, control = set)
    put(s, paste(m, "upper"), upperbound(r)); put(s, paste(m, "alarm"), alarms(r))
    if (m == "delta") put(s, "flexible expected", unlist(r@control$expected))
  }
}

months <- list(
  rising  = function(t) (400 + 6 * t) * (1 + 0.25 * sin(2 * pi * t / 12)) * exp(rnorm(length(t), sd = 0.06)),
  falling = function(t) (900 - 4 * t) * exp(0.3 * cos(2 * pi * t / 12) + rnorm(length(t), sd = 0.1)),
  plain   = function(t) 500 + cumsum(rnorm(length(t), sd = 12)))
for (s in names(months)) {
  set.seed(4096 + match(s, names(months)))
  y <- round(months[[s]](1:96), 1)
  put(s, "y", y)
  x <- ts(y, frequency = 12, start = c(2015, 1))
  f <- thetaf(x, h = 6)
  put(s, "theta mean", f$mean); put(s, "theta lower", f$lower[, 2]); put(s, "theta upper", f$upper[, 2])
  for (m in c("ANN", "AAN", "AAA", "MAM", "MNM")) {
    e <- ets(x, model = m, damped = FALSE)
    p <- e$par; g <- function(k) if (k %in% names(p)) p[[k]] else NA
    put(s, paste(m, "par"), c(g("alpha"), g("beta"), g("gamma"), g("l"), g("b"))); put(s, paste(m, "season"), e$initstate[grep("^s", names(e$initstate))])
    put(s, paste(m, "fit"), c(e$loglik, e$aic, e$sigma2))
    f <- forecast(e, h = 6)
    put(s, paste(m, "mean"), f$mean); put(s, paste(m, "lower"), f$lower[, 2]); put(s, paste(m, "upper"), f$upper[, 2])
  }
  d <- stl(log(x), s.window = "periodic")$time.series
  put(s, "stl seasonal", d[1:12, "seasonal"]); put(s, "stl trend", d[, "trend"]); put(s, "stl remainder", d[, "remainder"])
  d <- stl(log(x), s.window = 13)$time.series
  put(s, "stl13 seasonal", d[, "seasonal"])
  h <- HoltWinters(x, seasonal = if (s == "plain") "additive" else "multiplicative")
  put(s, "holt-winters", c(h$alpha, h$beta, h$gamma, h$SSE))
}

for (k in 1:6) { # completion of a table with empty journeys; the margins are those of another table
  set.seed(77 + k)
  n <- 3 + k %% 3; m <- 3 + k %/% 2
  seed <- matrix(sample(1:60, n * m, TRUE), n); seed[cbind(seq_len(n - 1), 1 + (seq_len(n - 1) * k) %% m)] <- 0
  goal <- matrix(sample(5:90, n * m, TRUE), n); goal[seed == 0] <- 0
  l <- loglin(goal, list(1, 2), start = seed, fit = TRUE, print = FALSE, eps = 1e-12, iter = 5000)
  put(paste0("table", k), "size", c(n, m)); put(paste0("table", k), "seed", t(seed))
  put(paste0("table", k), "rows", rowSums(goal)); put(paste0("table", k), "columns", colSums(goal)); put(paste0("table", k), "fit", t(l$fit))
}
for (k in 1:3) {
  set.seed(900 + k)
  g <- matrix(rpois(12, 40), 3)
  l <- loglin(g, list(1, 2), fit = TRUE, print = FALSE)
  put(paste0("independence", k), "table", t(g)); put(paste0("independence", k), "fit", t(l$fit)); put(paste0("independence", k), "tests", c(l$lrt, l$pearson, l$df))
}

for (k in 1:4) { # a survey: strata of points, clusters of days, unequal weights
  set.seed(50 + k)
  d <- do.call(rbind, lapply(1:3, function(h) do.call(rbind, lapply(1:(3 + h + k %% 2), function(c) {
    n <- sample(4:12, 1)
    data.frame(h = h, c = 100 * h + c, w = round(runif(1, 5, 40), 2), yes = rbinom(n, 1, plogis(-0.6 + 0.5 * h + rnorm(1, sd = 0.7))), y = round(rgamma(n, 3, 0.2), 1))
  }))))
  s <- svydesign(id = ~c, strata = ~h, weights = ~w, data = d, nest = TRUE)
  for (v in names(d)) put(paste0("survey", k), v, d[[v]])
  m <- svymean(~y, s, deff = TRUE); put(paste0("survey", k), "mean", c(coef(m), SE(m), deff(m)))
  m <- svytotal(~y, s); put(paste0("survey", k), "total", c(coef(m), SE(m)))
  m <- svymean(~yes, s, deff = TRUE); i <- svyciprop(~yes, s, method = "logit")
  put(paste0("survey", k), "share", c(coef(m), SE(m), deff(m), confint(i)))
}
for (x in list(c(3, 41), c(90, 97), c(250, 1200), c(0, 7), c(12, 12))) for (l in c(0.8, 0.95))
  put("wilson", paste(x[1], x[2], l), prop.test(x[1], x[2], conf.level = l, correct = FALSE)$conf.int)

for (k in 1:2) { # points that were not observed on every day: days as the offset
  set.seed(300 + k)
  t <- 1:weeks; days <- sample(c(7, 7, 7, 6, 5, 3), weeks, TRUE)
  y <- rnbinom(weeks, mu = c(9, 80)[k] * days / 7 * exp(0.3 * sin(2 * pi * t / 52) + 0.001 * t), size = 12) + ifelse(t %in% 340:342, c(20, 90)[k], 0)
  set <- paste0("days", k)
  put(set, "y", y); put(set, "days", days)
  x <- sts(observed = y, population = matrix(days), frequency = 52, start = c(2015, 1))
  for (m in c("nbPlugin", "delta")) {
    r <- farringtonFlexible(x, control = list(range = (weeks - 51):weeks, noPeriods = 10, b = 5, w = 3, weightsThreshold = 2.58,
      pastWeeksNotIncluded = 26, pThresholdTrend = 1, thresholdMethod = m, alpha = 0.01, limit54 = c(0, 50), populationOffset = TRUE))
    put(set, paste(m, "upper"), upperbound(r)); put(set, paste(m, "alarm"), alarms(r))
    if (m == "delta") put(set, "expected", unlist(r@control$expected))
  }
}

for (k in 1:8) { # flows that have to balance, none below zero
  set.seed(600 + k)
  n <- 6 + k; m <- 3
  repeat { # conditions that no other one implies
    a <- matrix(sample(c(-1, 0, 1), m * n, TRUE), m)
    if (qr(a)$rank == m && all(apply(a, 1, function(r) any(r > 0) && any(r < 0)))) break
  }
  if (k %% 2 == 0) { a <- cbind(a, -a); n <- 2 * n } # whatever goes in can come out
  y <- round(rexp(n, 1 / 60)); v <- round(y + (0.1 * y)^2 + 1, 2)
  b <- round(as.numeric(a %*% round(rexp(n, 1 / 60)))) * (k %% 2) # stocks, every other time: some flows that are 0 or more meet them
  q <- solve.QP(diag(1 / v), y / v, cbind(t(a), diag(n)), c(b, rep(0, n)), meq = m)
  set <- paste0("balance", k)
  put(set, "conserve", t(a)); put(set, "y", y); put(set, "variance", v); put(set, "stock", b); put(set, "flows", pmax(0, round(q$solution, 9)))
}

for (k in 1:4) { # three lists
  set.seed(700 + k)
  g <- expand.grid(a = 0:1, b = 0:1, c = 0:1)[-1, ]
  g$n <- rpois(7, exp(3 + 0.3 * g$a + 0.2 * g$b - 0.4 * g$c + 0.6 * g$a * g$b))
  set <- paste0("lists", k)
  put(set, "n", g$n)
  for (f in c("n ~ a + b + c", "n ~ a * b + c", "n ~ (a + b + c)^2"))
    put(set, f, sum(g$n) + exp(coef(glm(as.formula(f), poisson, g, epsilon = 1e-14, maxit = 200))[1]))
}

for (k in 1:3) { # what is still to come of a triangle: the chain ladder is a Poisson regression on row and column
  set.seed(800 + k)
  n <- 5 + k
  d <- expand.grid(late = 1:n, of = 1:n)
  d$y <- rpois(nrow(d), 200 * exp(-0.6 * d$late + 0.05 * d$of)) + 1
  d$known <- d$late + d$of <= n + 1
  m <- glm(y ~ factor(of) + factor(late), poisson, d[d$known, ], epsilon = 1e-14, maxit = 200)
  set <- paste0("triangle", k)
  put(set, "size", n); put(set, "y", d$y[d$known])
  put(set, "to come", sum(predict(m, d[!d$known, ], type = "response")))
}

for (k in 1:6) { # two counts of known populations: over all that can be met twice, Chapman's estimate is the
  # population and Seber's variance its variance (exact where the counts together are not fewer than it)
  set.seed(900 + k)
  size <- c(40, 75, 120, 300, 658, 2500)[k]
  n1 <- ceiling(size * runif(1, 0.5, 0.8)); n2 <- ceiling(size * runif(1, 0.55, 0.9))
  m <- max(0, n1 + n2 - size):min(n1, n2)
  p <- dhyper(m, n1, size - n1, n2)
  est <- (n1 + 1) * (n2 + 1) / (m + 1) - 1
  set <- paste0("recapture", k)
  put(set, "counts", c(n1, n2)); put(set, "twice", m); put(set, "probability", p)
  put(set, "population", size); put(set, "variance", sum(p * (est - size)^2))
  seen <- round(quantile(m, c(0, 0.25, 0.5, 0.75, 1), type = 1)); e <- (n1 + 1) * (n2 + 1) / (seen + 1) - 1
  v <- (n1 + 1) * (n2 + 1) * (n1 - seen) * (n2 - seen) / ((seen + 1)^2 * (seen + 2))
  put(set, "seen", seen); put(set, "estimate", e); put(set, "seber", v)
  put(set, "low", pmax(n1 + n2 - seen, e - qnorm(0.975) * sqrt(v))); put(set, "high", e + qnorm(0.975) * sqrt(v))
}
