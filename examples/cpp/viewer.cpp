// An application with a frame loop that creates, watches, keeps alive and stops a rendering session. It shows the session and
// what the library costs in each frame. It draws with SDL2 and needs no exceptions.
//
// It reads the same variables as quickstart.cpp, and:
//
//   ARR_FRAME_PAUSE_MS     minimum duration of a frame; default 16
//   ARR_VIEWER_FONT        path of a font (.ttf); default: one of the system's
//
//   viewer                        waits for keys
//   viewer --tour [PICTURE.bmp]   presses them itself: creates, extends and stops a session, saves a picture of the ready
//                                 session, and exits. Fails if anything failed.
//   viewer --hasty-tour           creates a session and quits as soon as it is ready
#include "viewer/canvas.hpp"
#include "viewer/desk.hpp"
#include "viewer/screen.hpp"
#include "viewer/times.hpp"

#include <arr_session.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// Quitting stops the session, which needs a request. This is the longest wait for it.
constexpr auto longest_farewell = 5s;

std::string_view from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

std::chrono::milliseconds milliseconds_from_environment(const char* name, std::chrono::milliseconds otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::chrono::milliseconds(std::strtoul(value, nullptr, 10));
}

arr::ClientOptions options_from_environment() {
    // Sets both intervals, so that the picture follows the session closely.
    const auto interval = milliseconds_from_environment("ARR_POLL_INTERVAL_MS", 0ms);
    arr::ClientOptions options;
    options.account_id(from_environment("ARR_ACCOUNT_ID"))
        .account_key(from_environment("ARR_ACCOUNT_KEY"))
        .account_domain(from_environment("ARR_ACCOUNT_DOMAIN"))
        .service_endpoint(from_environment("ARR_SERVICE_ENDPOINT"))
        .ca_file(from_environment("ARR_CA_FILE"))
        .poll_interval(interval)
        .ready_poll_interval(interval);
    if (const std::string_view version = from_environment("ARR_API_VERSION"); version == "2021-01-01") {
        options.api_version(arr::ApiVersion::v2021_01_01);
    } else if (version.data() != nullptr && version != "v1") {
        options.api_version(static_cast<arr::ApiVersion>(-1));  // the library's error lists the versions
    }
    return options;
}

/// Presses the keys that a user would, one after the other.
class Tour {
public:
    Tour(const char* picture, bool is_hasty) : picture_(picture), is_hasty_(is_hasty) {}

    /// Called once a frame, before it is drawn.
    void frame(const viewer::Desk::View& view) {
        ++frames_;
        if (view.notice_is_failure) {
            failed_ = true;
        }
        const auto status = view.has_session ? view.now.status() : arr::SessionStatus::unknown;
        switch (stage_) {
        case 0: return press_when(true, SDLK_c);
        case 1: return press_when(status == arr::SessionStatus::ready && (is_hasty_ || frames_ > enough),
                                    is_hasty_ ? SDLK_q : SDLK_e);
        case 2: return press_when(status == arr::SessionStatus::ready && view.now.max_lease() > 15min && frames_ > enough, SDLK_s);
        case 3: return press_when(status == arr::SessionStatus::stopped && frames_ > 20, SDLK_q);
        default: return;
        }
    }

    /// Whether to save a picture of this frame: the last one with a ready session.
    bool wants_picture() const { return picture_ != nullptr && stage_ == 3 && frames_ == 0; }
    const char* picture() const { return picture_; }

    bool failed() const { return failed_ || Clock::now() > deadline_; }

private:
    static constexpr int enough = 120;

    void press_when(bool now, SDL_Keycode key) {
        if (!now) {
            return;
        }
        SDL_Event event = {};
        event.type = SDL_KEYDOWN;
        event.key.keysym.sym = key;
        SDL_PushEvent(&event);
        ++stage_;
        frames_ = 0;
    }

    const char* picture_;
    bool is_hasty_;
    int stage_ = 0, frames_ = 0;
    bool failed_ = false;
    Clock::time_point deadline_ = Clock::now() + 60s;
};

class Application {
public:
    /// Without a tour.
    Application() : desk_(options_from_environment()) {}
    explicit Application(Tour tour) : desk_(options_from_environment()), tour_(tour) {}

    int run() {
        if (const std::string problem = canvas_.open("Session viewer", viewer::screen_width, viewer::screen_height);
            !problem.empty()) {
            std::fprintf(stderr, "error: %s\n", problem.c_str());
            return EXIT_FAILURE;
        }
        while (!quits_) {
            frame();
        }
        return farewell();
    }

private:
    void frame() {
        const auto begun = Clock::now();
        for (SDL_Event event; SDL_PollEvent(&event) != 0;) {
            handle(event);
        }
        const auto before = Clock::now();
        desk_.frame();
        library_.add(Clock::now() - before);

        print_changes();
        if (tour_) {
            tour_->frame(desk_.view());
            quits_ |= tour_->failed();
        }
        draw();
        pause_until(begun + frame_time_);
        frames_.add(Clock::now() - begun);
    }

    void handle(const SDL_Event& event) {
        if (event.type == SDL_QUIT) {
            quits_ = true;
        } else if (event.type == SDL_KEYDOWN && event.key.repeat == 0) {
            switch (event.key.keysym.sym) {
            case SDLK_c: return desk_.create();
            case SDLK_e: return desk_.extend();
            case SDLK_s: return desk_.stop();
            case SDLK_q:
            case SDLK_ESCAPE: quits_ = true; return;
            default: return;
            }
        }
    }

    void draw() {
        const float seconds = std::chrono::duration<float>(Clock::now() - started_).count();
        screen_.draw(canvas_, desk_.view(), service_, frames_, library_, seconds * 0.5f);
        if (tour_ && tour_->wants_picture() && !canvas_.save(tour_->picture())) {
            std::fprintf(stderr, "error: cannot save %s: %s\n", tour_->picture(), SDL_GetError());
            failed_ = true;
        }
        canvas_.end();
    }

    /// Prints what the screen shows.
    void print_changes() {
        const auto& view = desk_.view();
        std::string line = std::string(state_word(view)) + ", host "
                           + (view.texts.hostname().empty() ? "-" : std::string(view.texts.hostname())) + ", lease "
                           + viewer::clock_text(view.now.max_lease());
        if (line != printed_) {
            std::printf("shows: %s\n", line.c_str());
            printed_ = std::move(line);
        }
        if (view.notice != printed_notice_) {
            std::fprintf(view.notice_is_failure ? stderr : stdout, "%s%s\n", view.notice_is_failure ? "error: " : "says: ",
                         view.notice.c_str());
            printed_notice_ = view.notice;
        }
    }

    /// Ends the client in short slices, so that the window stays responsive, and within a limit.
    int farewell() {
        arr::Result<void> ended = desk_.end(arr::no_wait);
        for (const auto begun = Clock::now();
             ended.status() == arr::Status::timeout && Clock::now() - begun < longest_farewell;) {
            SDL_PumpEvents();
            draw();
            ended = desk_.end(50ms);
        }
        if (!ended) {
            const bool too_late = ended.status() == arr::Status::timeout;
            std::fprintf(stderr, "error: %s%s\n", too_late ? "a session may still be running: " : "", ended.error().what());
        }
        std::printf("at the end: %s\n", state_word(desk_.view()));
        std::printf("frames: %.2f ms mean; the library's part: %.1f us mean, %.1f us most\n",
                    static_cast<double>(frames_.mean()), static_cast<double>(library_.mean() * 1000.0f),
                    static_cast<double>(library_.most() * 1000.0f));
        return ended && !failed_ && !(tour_ && tour_->failed()) ? EXIT_SUCCESS : EXIT_FAILURE;
    }

    static void pause_until(Clock::time_point end) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
        if (left > 0ms) {
            SDL_Delay(static_cast<Uint32>(left.count()));
        }
    }

    viewer::Canvas canvas_;
    viewer::Screen screen_;
    viewer::Desk desk_;
    viewer::Times frames_, library_;
    std::optional<Tour> tour_;
    bool quits_ = false, failed_ = false;
    std::string service_ = std::string(from_environment("ARR_SERVICE_ENDPOINT"));
    std::string printed_, printed_notice_;
    std::chrono::milliseconds frame_time_ = milliseconds_from_environment("ARR_FRAME_PAUSE_MS", 16ms);
    Clock::time_point started_ = Clock::now();
};

}  // namespace

// SDL requires this signature.
int main(int count, char* words[]) {
#ifdef SIGPIPE
    std::signal(SIGPIPE, SIG_IGN);  // if the reader of the output is gone, the session is still stopped
#endif
    const std::string_view word = count > 1 ? words[1] : "";
    if (count == 1) {
        return Application().run();
    }
    if (word == "--tour" && count <= 3) {
        return Application(Tour(count > 2 ? words[2] : nullptr, false)).run();
    }
    if (word == "--hasty-tour" && count == 2) {
        return Application(Tour(nullptr, true)).run();
    }
    std::fprintf(stderr, "usage: viewer [--tour [PICTURE.bmp] | --hasty-tour]\n");
    return EXIT_FAILURE;
}
