// The viewer's window, with smooth shapes and text, using SDL2 and SDL2_ttf.
#pragma once

#include <SDL.h>
#include <SDL_ttf.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace viewer {

using Color = SDL_Color;

constexpr Color with_alpha(Color color, std::uint8_t alpha) { return Color{color.r, color.g, color.b, alpha}; }

constexpr Color mixed(Color a, Color b, float share_of_b) {
    const auto mix = [share_of_b](std::uint8_t x, std::uint8_t y) {
        return static_cast<std::uint8_t>(static_cast<float>(x) + (static_cast<float>(y) - static_cast<float>(x)) * share_of_b);
    };
    return Color{mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b), mix(a.a, b.a)};
}

enum class Font { small, normal, large };

class Canvas {
public:
    Canvas() = default;
    Canvas(const Canvas&) = delete;
    Canvas& operator=(const Canvas&) = delete;

    ~Canvas() {
        for (TTF_Font* font : fonts_) {
            if (font != nullptr) {
                TTF_CloseFont(font);
            }
        }
        if (renderer_ != nullptr) {
            SDL_DestroyRenderer(renderer_);
        }
        if (window_ != nullptr) {
            SDL_DestroyWindow(window_);
        }
        if (TTF_WasInit() != 0) {
            TTF_Quit();
        }
        SDL_Quit();
    }

    /// Opens the window. Returns an error message, or an empty text.
    std::string open(const char* title, int width, int height) {
        if (SDL_Init(SDL_INIT_VIDEO) != 0 || TTF_Init() != 0) {
            return std::string("cannot start SDL: ") + SDL_GetError() + "; without a screen, set SDL_VIDEODRIVER=dummy";
        }
        window_ = SDL_CreateWindow(title, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width, height, 0);
        if (window_ == nullptr) {
            return std::string("cannot open a window: ") + SDL_GetError();
        }
        renderer_ = SDL_CreateRenderer(window_, -1, SDL_RENDERER_ACCELERATED);
        if (renderer_ == nullptr) {
            renderer_ = SDL_CreateRenderer(window_, -1, SDL_RENDERER_SOFTWARE);
        }
        if (renderer_ == nullptr) {
            return std::string("cannot draw in the window: ") + SDL_GetError();
        }
        SDL_SetRenderDrawBlendMode(renderer_, SDL_BLENDMODE_BLEND);
        return open_fonts();
    }

    void begin(Color background) {
        set(background);
        SDL_RenderClear(renderer_);
    }

    void end() { SDL_RenderPresent(renderer_); }

    /// Saves the current frame as a BMP file. Call it before end().
    bool save(const char* path) {
        int width = 0, height = 0;
        SDL_GetRendererOutputSize(renderer_, &width, &height);
        SDL_Surface* picture = SDL_CreateRGBSurfaceWithFormat(0, width, height, 24, SDL_PIXELFORMAT_RGB24);
        const bool saved = picture != nullptr
                           && SDL_RenderReadPixels(renderer_, nullptr, SDL_PIXELFORMAT_RGB24, picture->pixels, picture->pitch) == 0
                           && SDL_SaveBMP(picture, path) == 0;
        SDL_FreeSurface(picture);
        return saved;
    }

    void rectangle(SDL_FRect area, Color color) {
        set(color);
        SDL_RenderFillRectF(renderer_, &area);
    }

    /// Draws a rectangle with round corners and smooth edges.
    void panel(SDL_FRect area, float radius, Color color) {
        constexpr int steps = 8;
        constexpr float quarter = 1.57079633f;
        const float inner = std::min(radius, std::min(area.w, area.h) / 2.0f);
        const std::array<SDL_FPoint, 4> centers = {{{area.x + area.w - inner, area.y + area.h - inner},
                                                    {area.x + inner, area.y + area.h - inner},
                                                    {area.x + inner, area.y + inner},
                                                    {area.x + area.w - inner, area.y + inner}}};
        vertices_.clear();
        indices_.clear();
        vertices_.push_back({{area.x + area.w / 2.0f, area.y + area.h / 2.0f}, color, {0.0f, 0.0f}});
        int corners = 0;
        for (std::size_t corner = 0; corner < centers.size(); ++corner) {
            for (int step = 0; step <= steps; ++step, ++corners) {
                const float angle = quarter * (static_cast<float>(corner) + static_cast<float>(step) / steps);
                const float x = std::cos(angle), y = std::sin(angle);
                const SDL_FPoint center = centers[corner];
                const float solid = std::max(inner - 0.5f, 0.0f), faded = inner + 0.5f;
                vertices_.push_back({{center.x + x * solid, center.y + y * solid}, color, {0.0f, 0.0f}});
                vertices_.push_back({{center.x + x * faded, center.y + y * faded}, with_alpha(color, 0), {0.0f, 0.0f}});
            }
        }
        for (int i = 0; i < corners; ++i) {
            const int here = 1 + 2 * i, next = 1 + 2 * ((i + 1) % corners);
            indices_.insert(indices_.end(), {0, here, next, here, here + 1, next, next, here + 1, next + 1});
        }
        geometry(vertices_, indices_);
    }

    void geometry(const std::vector<SDL_Vertex>& vertices, const std::vector<int>& indices) {
        SDL_RenderGeometry(renderer_, nullptr, vertices.data(), static_cast<int>(vertices.size()), indices.data(),
                           static_cast<int>(indices.size()));
    }

    /// Clips drawing to an area, until unclip().
    void clip(SDL_FRect area) {
        const SDL_Rect whole = {static_cast<int>(area.x), static_cast<int>(area.y), static_cast<int>(area.w),
                                static_cast<int>(area.h)};
        SDL_RenderSetClipRect(renderer_, &whole);
    }
    void unclip() { SDL_RenderSetClipRect(renderer_, nullptr); }

    /// Draws one line of text and returns its width.
    float text(Font font, float x, float y, std::string_view text, Color color) {
        if (text.empty()) {
            return 0.0f;
        }
        SDL_Surface* drawn = TTF_RenderUTF8_Blended(font_of(font), std::string(text).c_str(), color);
        SDL_Texture* texture = drawn == nullptr ? nullptr : SDL_CreateTextureFromSurface(renderer_, drawn);
        float width = 0.0f;
        if (texture != nullptr) {
            // Whole pixels keep letters sharp.
            const SDL_FRect place = {std::floor(x), std::floor(y), static_cast<float>(drawn->w), static_cast<float>(drawn->h)};
            SDL_RenderCopyF(renderer_, texture, nullptr, &place);
            width = place.w;
        }
        SDL_DestroyTexture(texture);
        SDL_FreeSurface(drawn);
        return width;
    }

    float text_to_the_right(Font font, float right, float y, std::string_view what, Color color) {
        const float width = width_of(font, what);
        text(font, right - width, y, what, color);
        return width;
    }

    float width_of(Font font, std::string_view text) {
        int width = 0;
        TTF_SizeUTF8(font_of(font), std::string(text).c_str(), &width, nullptr);
        return static_cast<float>(width);
    }

    /// The longest beginning of a text that fits a width, with an ellipsis if it is cut.
    std::string fitted(Font font, std::string_view text, float width) {
        std::string fit(text);
        for (std::size_t kept = text.size(); kept > 0 && width_of(font, fit) > width;) {
            // Removes one character, with all of its bytes.
            do {
                --kept;
            } while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0u) == 0x80u);
            fit = std::string(text.substr(0, kept)) + "\xE2\x80\xA6";
        }
        return fit;
    }

    /// Draws a text in lines of that width, and returns the position of the next line.
    float paragraph(Font font, float x, float y, float width, int most_lines, std::string_view text, Color color) {
        const float height = static_cast<float>(TTF_FontLineSkip(font_of(font)));
        for (int line = 1; !text.empty() && line <= most_lines; ++line, y += height) {
            const std::size_t end = line == most_lines ? text.size() : end_of_line(font, text, width);
            this->text(font, x, y, fitted(font, text.substr(0, end), width), color);
            text.remove_prefix(end);
            text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        }
        return y;
    }

private:
    static constexpr std::array<int, 3> sizes = {13, 16, 26};

    void set(Color color) { SDL_SetRenderDrawColor(renderer_, color.r, color.g, color.b, color.a); }

    TTF_Font* font_of(Font font) const { return fonts_[static_cast<std::size_t>(font)]; }

    /// The words that fit on one line.
    std::size_t end_of_line(Font font, std::string_view text, float width) {
        std::size_t end = 0;
        while (end < text.size()) {
            const std::size_t space = std::min(text.find(' ', end + 1), text.size());
            if (end != 0 && width_of(font, text.substr(0, space)) > width) {
                break;
            }
            end = space;
        }
        return end;
    }

    std::string open_fonts() {
        const char* chosen = std::getenv("ARR_VIEWER_FONT");
        const std::array<const char*, 8> candidates = {
            chosen == nullptr ? "" : chosen,
            "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
            "/usr/share/fonts/TTF/DejaVuSans.ttf",
            "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
            "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
            "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
            "/System/Library/Fonts/Supplemental/Arial.ttf",
            "C:/Windows/Fonts/segoeui.ttf",
        };
        for (const char* path : candidates) {
            for (std::size_t i = 0; i < fonts_.size(); ++i) {
                fonts_[i] = *path == '\0' ? nullptr : TTF_OpenFont(path, sizes[i]);
                if (fonts_[i] != nullptr) {
                    TTF_SetFontHinting(fonts_[i], TTF_HINTING_LIGHT);
                }
            }
            if (fonts_.front() != nullptr) {
                return {};
            }
        }
        return "found no font; set ARR_VIEWER_FONT to the path of one (.ttf)";
    }

    SDL_Window* window_ = nullptr;
    SDL_Renderer* renderer_ = nullptr;
    std::array<TTF_Font*, 3> fonts_ = {};
    std::vector<SDL_Vertex> vertices_;
    std::vector<int> indices_;
};

}  // namespace viewer
