// The viewer's screen: the session, the cost of frames, and the available keys.
#pragma once

#include "canvas.hpp"
#include "desk.hpp"
#include "scene.hpp"
#include "times.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace viewer {

constexpr int screen_width = 1000, screen_height = 640;

/// "1:02:03", or "14:59".
inline std::string clock_text(std::chrono::seconds time) {
    const long long all = time.count();
    char text[48];
    if (all >= 3600) {
        std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", all / 3600, all / 60 % 60, all % 60);
    } else {
        std::snprintf(text, sizeof text, "%02lld:%02lld", all / 60, all % 60);
    }
    return text;
}

/// One word for the session's state.
inline const char* state_word(const Desk::View& view) {
    if (view.creating) {
        return "requested";
    }
    if (!view.has_session) {
        return "no session";
    }
    return view.stopping ? "stopping" : to_string(view.now.status());
}

class Screen {
public:
    /// `frames` are the durations of whole frames, `library` the library's part of them.
    void draw(Canvas& canvas, const Desk::View& view, std::string_view service, const Times& frames, const Times& library,
              float angle) {
        const bool ready = view.has_session && view.now.status() == arr::SessionStatus::ready;
        // Brightens and fades within a second.
        life_ += ((ready ? 1.0f : 0.0f) - life_) * 0.06f;

        canvas.begin(background);
        canvas.text(Font::large, margin, 18, "Session viewer", bright);
        canvas.text_to_the_right(Font::small, screen_width - margin, 28, service, dim);
        draw_stage(canvas, view, ready, angle);
        draw_session(canvas, view);
        draw_lease(canvas, view, ready);
        draw_times(canvas, {margin, 444, 470, 104}, "Frame, of 16.7 ms at 60 Hz", frames, 33.3f, 16.7f, "ms", 1.0f, teal);
        draw_times(canvas, {margin + 490, 444, 470, 104}, "The library's part, of 200 \xC2\xB5s at most", library, 0.25f, 0.2f, "\xC2\xB5s", 1000.0f, amber);
        draw_notice(canvas, view);
        draw_keys(canvas);
    }

private:
    static constexpr Color background = {13, 17, 27, 255}, surface = {22, 28, 42, 255}, sunken = {11, 14, 22, 255};
    static constexpr Color bright = {236, 241, 249, 255}, normal = {190, 199, 214, 255}, dim = {116, 128, 150, 255};
    static constexpr Color teal = {45, 212, 191, 255}, amber = {251, 176, 64, 255}, red = {248, 96, 96, 255};
    static constexpr Color blue = {96, 165, 250, 255};
    static constexpr float margin = 20;
    static constexpr SDL_FRect stage = {margin, 66, 580, 358}, session_card = {620, 66, 360, 226}, lease_card = {620, 308, 360, 116};

    static Color color_of(const Desk::View& view) {
        if (view.creating || view.stopping) {
            return blue;
        }
        if (!view.has_session) {
            return dim;
        }
        switch (view.now.status()) {
        case arr::SessionStatus::ready: return teal;
        case arr::SessionStatus::starting: return amber;
        case arr::SessionStatus::expired:
        case arr::SessionStatus::error: return red;
        default: return dim;
        }
    }

    void draw_stage(Canvas& canvas, const Desk::View& view, bool ready, float angle) {
        canvas.panel(stage, 12, sunken);
        scene_.draw(canvas, stage, angle, life_);
        std::string caption = "Press C to create a session.";
        if (ready) {
            caption = "The picture from " + std::string(view.texts.hostname()) + " would be here.";
        } else if (view.creating || (view.has_session && view.now.status() == arr::SessionStatus::starting)) {
            caption = "A server is starting\xE2\x80\xA6";
        }
        canvas.text(Font::small, stage.x + 16, stage.y + stage.h - 30, canvas.fitted(Font::small, caption, stage.w - 32), dim);
    }

    void draw_session(Canvas& canvas, const Desk::View& view) {
        canvas.panel(session_card, 12, surface);
        const float x = session_card.x + 18;
        float y = session_card.y + 16;
        const Color color = color_of(view);
        const char* word = state_word(view);
        const float width = canvas.width_of(Font::normal, word);
        canvas.panel({x, y, width + 44, 30}, 15, with_alpha(color, 40));
        canvas.panel({x + 14, y + 11, 8, 8}, 4, color);
        canvas.text(Font::normal, x + 30, y + 5, word, color);
        y += 46;

        const std::string ports = view.texts.handshake_port() == 0
                                      ? std::string()
                                      : std::to_string(view.texts.handshake_port()) + " handshake, "
                                            + std::to_string(view.texts.arr_inspector_port()) + " inspector";
        const bool known = view.has_session;
        row(canvas, x, y, "id", known ? view.texts.session_id() : std::string_view());
        row(canvas, x, y, "host", known ? view.texts.hostname() : std::string_view());
        row(canvas, x, y, "ports", known ? std::string_view(ports) : std::string_view());
        row(canvas, x, y, "size", known ? std::string_view(to_string(view.now.size())) : std::string_view());
    }

    static void row(Canvas& canvas, float x, float& y, std::string_view name, std::string_view value) {
        canvas.text(Font::small, x, y + 2, name, dim);
        const std::string_view shown = value.empty() ? "\xE2\x80\x93" : value;
        canvas.text(Font::small, x + 50, y + 2, canvas.fitted(Font::small, shown, session_card.w - 86), normal);
        y += 38;
    }

    void draw_lease(Canvas& canvas, const Desk::View& view, bool ready) {
        canvas.panel(lease_card, 12, surface);
        const float x = lease_card.x + 18, width = lease_card.w - 36;
        const auto whole = ready ? view.now.max_lease() : std::chrono::seconds(0);
        const auto left = ready ? view.now.remaining() : std::chrono::seconds(0);
        canvas.text(Font::small, x, lease_card.y + 14, "Lease", dim);
        canvas.text(Font::large, x, lease_card.y + 32, ready ? clock_text(left) : "\xE2\x80\x93", bright);
        if (ready) {
            canvas.text_to_the_right(Font::small, x + width, lease_card.y + 44, "left of " + clock_text(whole), normal);
        }
        const float share = whole.count() == 0 ? 0.0f : static_cast<float>(left.count()) / static_cast<float>(whole.count());
        canvas.panel({x, lease_card.y + 84, width, 12}, 6, sunken);
        if (share > 0.0f) {
            const Color color = left < std::chrono::minutes(5) ? red : teal;
            canvas.panel({x, lease_card.y + 84, std::max(width * share, 12.0f), 12}, 6, color);
        }
    }

    /// Draws bars from the oldest to the newest, up to `full`, with a line at the budget. Numbers are in `unit`, of which a
    /// millisecond has `units`.
    static void draw_times(Canvas& canvas, SDL_FRect area, std::string_view title, const Times& times, float full, float budget,
                           const char* unit, float units, Color color) {
        canvas.panel(area, 12, surface);
        char numbers[96];
        std::snprintf(numbers, sizeof numbers, "%.1f %s mean, %.1f %s most", static_cast<double>(times.mean() * units), unit,
                      static_cast<double>(times.most() * units), unit);
        canvas.text(Font::small, area.x + 16, area.y + 10, title, dim);
        canvas.text_to_the_right(Font::small, area.x + area.w - 16, area.y + 10, numbers, normal);

        const SDL_FRect graph = {area.x + 16, area.y + 34, area.w - 32, area.h - 46};
        const float step = graph.w / static_cast<float>(Times::kept);
        for (std::size_t i = 0; i < times.count(); ++i) {
            const float height = std::clamp(times.at(i) / full, 0.02f, 1.0f) * graph.h;
            const float x = graph.x + graph.w - step * static_cast<float>(times.count() - i);
            canvas.rectangle({x, graph.y + graph.h - height, std::max(step - 0.5f, 1.0f), height},
                             times.at(i) > budget * 1.5f ? red : color);
        }
        const float line = graph.y + graph.h * (1.0f - budget / full);
        canvas.rectangle({graph.x, line, graph.w, 1}, with_alpha(bright, 70));
    }

    static void draw_notice(Canvas& canvas, const Desk::View& view) {
        canvas.paragraph(Font::small, margin, 560, screen_width - 2 * margin, 2, view.notice,
                         view.notice_is_failure ? red : normal);
    }

    static void draw_keys(Canvas& canvas) {
        float x = margin;
        for (const auto& [key, what] : {std::pair("C", "create"), std::pair("E", "extend by 15 min"), std::pair("S", "stop"),
                                        std::pair("Q", "quit: stops the session")}) {
            canvas.panel({x, 602, 24, 24}, 6, surface);
            canvas.text(Font::small, x + 12 - canvas.width_of(Font::small, key) / 2, 606, key, bright);
            x += 32;
            x += canvas.text(Font::small, x, 606, what, dim) + 24;
        }
    }

    Scene scene_;
    float life_ = 0.0f;
};

}  // namespace viewer
